import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ChatSession, SessionState } from "../chat/session";
import { useSay } from "./hooks";

interface Props {
  session: ChatSession;
  state: SessionState;
  focus?: boolean; // when it appears: there is nothing else to do
}

/** Where a key is entered, and what becomes of it. */
export function KeyForm({ session, state, focus }: Props) {
  const say = useSay();
  const id = useId();
  const [key, setKey] = useState(state.access.key);
  const [remember, setRemember] = useState(state.access.remember);
  const [shown, setShown] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (focus) field.current?.focus();
  }, []);

  const submit = (event: Event) => {
    event.preventDefault();
    void session.useKey({ key: key.trim(), remember });
  };
  const remove = () => {
    setKey("");
    setRemember(false);
    void session.useKey({ key: "", remember: false });
  };
  return (
    <form class="key-form" onSubmit={submit}>
      <label for={`${id}-key`}>{say("key")}</label>
      <div class="joined">
        <input
          ref={field}
          id={`${id}-key`}
          type={shown ? "text" : "password"}
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
          placeholder="sk-…"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-describedby={`${id}-hint`}
        />
        <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {say(shown ? "hideKey" : "showKey")}
        </button>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={remember}
          onChange={(event) => setRemember(event.currentTarget.checked)}
        />
        {say("remember")}
      </label>
      <p id={`${id}-hint`} class={remember ? "hint warning" : "hint"}>
        {say(remember ? "keyRememberedHint" : "keyHint")}
      </p>
      <div class="actions">
        <button type="submit" class="primary" disabled={key.trim() === ""}>
          {say("useKey")}
        </button>
        {state.access.key !== "" && (
          <button type="button" onClick={remove}>
            {say("removeKey")}
          </button>
        )}
      </div>
      <p class="hint" role="status">
        {state.modelsState === "ready" &&
          say(state.access.key === "" ? "keyNotNeeded" : "keyAccepted")}
      </p>
    </form>
  );
}
