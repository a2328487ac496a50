import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { type Language, say, type TextKey } from "../text/strings";

interface Observable<State> {
  readonly state: State;
  subscribe(listener: () => void): () => void;
}

/**
 * The state of now, drawn anew when it changes: at most once a frame, and never so often that drawing
 * takes more than a third of the time. A long answer is costly to draw, and tokens may come faster.
 */
export function useObservable<State>(source: Observable<State>): State {
  const [, redraw] = useState({});
  useEffect(() => {
    let waiting = false; // for a frame, or for the rest after one
    let changed = false;
    let frame = 0;
    let rest = 0;
    const draw = () => {
      const begun = performance.now();
      changed = false;
      redraw({});
      // By then Preact has drawn: it does so as soon as this function is left.
      rest = window.setTimeout(() => {
        rest = window.setTimeout(() => {
          waiting = false;
          if (changed) onChange();
        }, 2 * (performance.now() - begun));
      });
    };
    const onChange = () => {
      changed = true;
      if (waiting) return;
      waiting = true;
      frame = requestAnimationFrame(draw); // a hidden tab has none, until it is shown again
    };
    const unsubscribe = source.subscribe(onChange);
    redraw({}); // for what happened between the first drawing and now
    return () => {
      unsubscribe();
      cancelAnimationFrame(frame);
      clearTimeout(rest);
    };
  }, [source]);
  return source.state;
}

export const LanguageContext = createContext<Language>("en");

export type Say = (key: TextKey, values?: Record<string, string | number>) => string;

export function useSay(): Say {
  const language = useContext(LanguageContext);
  return (key, values) => say(language, key, values);
}

/** Digits grouped and rounded as the language does it. */
export function useNumber(): (value: number, digits?: number) => string {
  const language = useContext(LanguageContext);
  return (value, digits = 0) =>
    value.toLocaleString(language === "zh" ? "zh-CN" : "en", {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
}
