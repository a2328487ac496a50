// The conversation, one article a turn. Only the last question can be edited and only the last
// answer made anew: what came before is what the model was told.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Answer, Question } from "../chat/conversation";
import { CopyButton } from "./CopyButton";
import { useNumber, useSay } from "./hooks";
import { Markdown } from "./Markdown";
import { ProblemView } from "./ProblemView";

export interface TurnActions {
  regenerate: () => void;
  edit: (text: string) => void;
  clear: () => void;
  openSettings: () => void;
}

interface QuestionProps {
  question: Question;
  edit: ((text: string) => void) | undefined; // undefined: this one cannot be edited
}

export function QuestionView({ question, edit }: QuestionProps) {
  const say = useSay();
  const [editing, setEditing] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useLayoutEffect(() => {
    if (wasEditing.current && !editing) button.current?.focus(); // there is none after sending
    wasEditing.current = editing;
  }, [editing]);
  const canEdit = edit !== undefined;
  useEffect(() => {
    if (!canEdit) setEditing(false);
  }, [canEdit]);
  return (
    <article class="turn question">
      <h2>{say("you")}</h2>
      {editing && edit ? (
        <EditForm text={question.text} cancel={() => setEditing(false)} resend={edit} />
      ) : (
        <>
          <p class="plain">{question.text}</p>
          {edit && (
            <div class="actions">
              <button
                ref={button}
                type="button"
                class="quiet"
                aria-label={say("editLabel")}
                onClick={() => setEditing(true)}
              >
                {say("edit")}
              </button>
            </div>
          )}
        </>
      )}
    </article>
  );
}

interface EditProps {
  text: string;
  cancel: () => void;
  resend: (text: string) => void;
}

function EditForm({ text, cancel, resend }: EditProps) {
  const say = useSay();
  const [draft, setDraft] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  // Before anybody can type: an effect that waits for a frame would move the caret under the typist.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() !== "") resend(draft);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        event.stopPropagation();
        cancel();
      }}
    >
      <textarea
        ref={field}
        rows={3}
        value={draft}
        aria-label={say("editLabel")}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <div class="actions">
        <button type="submit" class="primary" disabled={draft.trim() === ""}>
          {say("resend")}
        </button>
        <button type="button" onClick={cancel}>
          {say("cancel")}
        </button>
      </div>
    </form>
  );
}

interface AnswerProps {
  answer: Answer;
  actions: TurnActions | undefined; // undefined: not the last one
}

export function AnswerView({ answer, actions }: AnswerProps) {
  const say = useSay();
  const running = answer.state === "running";
  return (
    <article class="turn answer" aria-busy={running}>
      <h2>{answer.model}</h2>
      {answer.text !== "" && <Markdown text={answer.text} />}
      {running && answer.text === "" && <p class="muted waiting">{say("thinking")}</p>}
      <Ending answer={answer} actions={actions} />
      {!running && (
        <div class="actions">
          <FiguresLine answer={answer} />
          {answer.text !== "" && <CopyButton text={answer.text} label="copyAnswer" />}
          {actions && answer.state !== "failed" && (
            <button type="button" class="quiet" onClick={actions.regenerate}>
              {say("regenerate")}
            </button>
          )}
        </div>
      )}
    </article>
  );
}

/** Why an answer ended, where that is not the usual end. */
function Ending({ answer, actions }: AnswerProps) {
  const say = useSay();
  const { problem, state, finish, text } = answer;
  if (state === "failed" && problem !== undefined)
    return (
      <ProblemView problem={problem} retry={actions?.regenerate}>
        {actions && problem.kind.startsWith("key_") && (
          <button type="button" onClick={actions.openSettings}>
            {say("enterKey")}
          </button>
        )}
        {actions && (problem.kind === "too_long" || problem.kind === "refused") && (
          <>
            <button type="button" onClick={actions.openSettings}>
              {say("openSettings")}
            </button>
            <button type="button" onClick={actions.clear}>
              {say("newConversationInstead")}
            </button>
          </>
        )}
      </ProblemView>
    );
  if (state === "done" && finish === "length") return <p class="note">{say("endedByLength")}</p>;
  if (state === "done" && finish === "content_filter")
    return <p class="note">{say("endedByFilter")}</p>;
  if (state === "done" && text === "") return <p class="note">{say("emptyAnswer")}</p>;
  return null;
}

function FiguresLine({ answer }: { answer: Answer }) {
  const say = useSay();
  const number = useNumber();
  const { firstTokenSeconds, tokens, tokensPerSecond } = answer.figures ?? {};
  const parts = [
    answer.state === "stopped" && say("stoppedByYou"),
    firstTokenSeconds !== undefined &&
      say("firstToken", { seconds: number(firstTokenSeconds, 2) }),
    tokensPerSecond !== undefined && say("speed", { speed: number(tokensPerSecond, 1) }),
    tokens !== undefined && say("tokens", { count: number(tokens) }),
  ].filter((part) => part !== false);
  return parts.length === 0 ? null : <span class="figures">{parts.join(" · ")}</span>;
}
