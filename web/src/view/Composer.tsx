import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { useSay } from "./hooks";

interface Props {
  field: RefObject<HTMLTextAreaElement>;
  running: boolean;
  canSend: boolean;
  /** False when the text was not taken and stays in the field. */
  send: (text: string) => boolean;
  stop: () => void;
}

export function Composer({ field, running, canSend, send, stop }: Props) {
  const say = useSay();
  const [draft, setDraft] = useState("");
  useLayoutEffect(() => fitHeight(field.current), [draft]);

  const submit = () => {
    if (running || !canSend || draft.trim() === "") return;
    if (!send(draft)) return;
    setDraft("");
    field.current?.focus(); // the button that was pressed is about to go
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the choice of a Chinese character; that Enter must not send (229: Safari).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      class="composer"
      aria-label={say("messagePlaceholder")}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="composer-row">
        <textarea
          id="message"
          ref={field}
          rows={1}
          value={draft}
          aria-label={say("message")}
          aria-describedby="message-hint"
          placeholder={say("messagePlaceholder")}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {running ? (
          <button
            type="button"
            class="stop"
            onClick={() => {
              stop();
              field.current?.focus();
            }}
          >
            {say("stop")}
          </button>
        ) : (
          <button type="submit" class="primary" disabled={!canSend || draft.trim() === ""}>
            {say("send")}
          </button>
        )}
      </div>
      <p id="message-hint" class="hint">
        {say(running ? "stopHint" : "messageHint")}
      </p>
    </form>
  );
}

/** As high as its text; the style sheet says how high at most. */
function fitHeight(field: HTMLTextAreaElement | null): void {
  if (field === null) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}
