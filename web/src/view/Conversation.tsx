import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isRunning, lastAnswer, lastQuestion } from "../chat/conversation";
import type { ChatSession, SessionState } from "../chat/session";
import { useNumber, useSay } from "./hooks";
import { Icon } from "./icons";
import { KeyForm } from "./KeyForm";
import { ProblemView } from "./ProblemView";
import { AnswerView, QuestionView, type TurnActions } from "./Turns";

interface Props {
  session: ChatSession;
  state: SessionState;
  actions: TurnActions;
}

const nearEnd = 64; // pixels from the end that still count as reading along

/**
 * Scrolls along with the answer, unless the reader has scrolled up. For screen readers it is a log
 * that is busy while the answer grows, so that they read it once and not word by word; that it
 * began and ended is said beside it.
 */
export function Conversation({ session, state, actions }: Props) {
  const say = useSay();
  const log = useRef<HTMLElement>(null);
  const [following, setFollowing] = useState(true);
  const { turns } = state.conversation;
  const running = isRunning(state.conversation);
  const toEnd = () => log.current?.scrollTo({ top: log.current.scrollHeight });

  useLayoutEffect(() => {
    if (following) toEnd();
  }, [state.conversation, following]);
  useEffect(() => setFollowing(true), [turns.length]);

  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = log.current!;
    setFollowing(scrollHeight - scrollTop - clientHeight < nearEnd);
  };
  const editable = running ? undefined : lastQuestion(state.conversation);
  const newest = lastAnswer(state.conversation);
  return (
    <main>
      <section
        ref={log}
        class="log"
        role="log"
        aria-live="polite"
        aria-busy={running}
        aria-label={say("conversation")}
        tabIndex={0}
        onScroll={onScroll}
      >
        <div class="column">
          {turns.length === 0 && <Welcome state={state} session={session} />}
          {turns.map((turn) =>
            turn.role === "user" ? (
              <QuestionView
                key={turn.id}
                question={turn}
                edit={turn === editable ? actions.edit : undefined}
              />
            ) : (
              <AnswerView
                key={turn.id}
                answer={turn}
                actions={turn === newest ? actions : undefined}
              />
            ),
          )}
        </div>
      </section>
      {!following && (
        <button type="button" class="to-latest" onClick={() => setFollowing(true)}>
          <Icon name="down" />
          {say("toLatest")}
        </button>
      )}
      <p class="hidden" role="status">
        {running ? say("answerBegun") : newest?.state === "done" && say("answerDone")}
      </p>
    </main>
  );
}

function Welcome({ session, state }: Pick<Props, "session" | "state">) {
  const say = useSay();
  const number = useNumber();
  const { models, model, modelsState, modelsProblem } = state;
  const length = models.find(({ id }) => id === model)?.contextLength;
  if (modelsState === "failed" && modelsProblem !== undefined) {
    const needsKey = modelsProblem.kind.startsWith("key_");
    const retry = needsKey ? undefined : () => void session.loadModels();
    return (
      <div class="welcome">
        <ProblemView problem={modelsProblem} retry={retry} />
        {needsKey && <KeyForm session={session} state={state} focus />}
      </div>
    );
  }
  return (
    <div class="welcome">
      <h2>{model === "" ? say("welcomeNoModel") : say("welcome", { model })}</h2>
      <p>{say("privacy")}</p>
      {length !== undefined && <p>{say("context", { count: number(length) })}</p>}
      {modelsState === "ready" && models.length === 0 && (
        <p class="problem" role="alert">
          {say("noModels")}
        </p>
      )}
    </div>
  );
}
