import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem, ProblemKind } from "../api/problem";
import { useSay } from "./hooks";

// Where the server's own words add what the sentence cannot know: numbers, names, reasons.
const withDetail: readonly ProblemKind[] = [
  "forbidden", "model_gone", "too_long", "refused", "limit", "server", "failed", "strange",
];

interface Props {
  problem: Problem;
  retry?: (() => void) | undefined;
  children?: ComponentChildren; // more to do about it
}

/** What went wrong as a sentence, and what to do about it. */
export function ProblemView({ problem, retry, children }: Props) {
  const say = useSay();
  const wait = useSecondsUntil(problem.retryAt);
  const detail = withDetail.includes(problem.kind) ? problem.detail : undefined;
  return (
    <div class="problem" role="alert">
      <p>{say(problem.kind)}</p>
      {detail !== undefined && <p class="muted">{say("serverSays", { detail })}</p>}
      {(retry || children) && (
        <div class="actions">
          {retry && (
            <button type="button" disabled={wait > 0} onClick={retry}>
              {/* The countdown would be read out every second. */}
              <span aria-live="off">
                {wait > 0 ? say("retryIn", { seconds: wait }) : say("retry")}
              </span>
            </button>
          )}
          {children}
        </div>
      )}
    </div>
  );
}

function useSecondsUntil(time: number | undefined): number {
  const left = () => (time === undefined ? 0 : Math.max(0, Math.ceil((time - Date.now()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    if (left() === 0) return;
    const timer = setInterval(() => {
      setSeconds(left());
      if (left() === 0) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [time]);
  return seconds;
}
