import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { type Language, say, type TextKey } from "../text/strings";

interface Observable<State> {
  readonly state: State;
  subscribe(listener: () => void): () => void;
}

/** The state of now; drawn anew at most once a frame, however fast tokens come. */
export function useObservable<State>(source: Observable<State>): State {
  const [, redraw] = useState({});
  useEffect(() => {
    let frame = 0;
    const unsubscribe = source.subscribe(() => {
      // A hidden tab draws no frames; what happened is drawn when it is shown again.
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        redraw({});
      });
    });
    redraw({}); // for what happened between the first drawing and now
    return () => {
      unsubscribe();
      cancelAnimationFrame(frame);
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
