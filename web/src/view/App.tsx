import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isRunning } from "../chat/conversation";
import type { ChatSession } from "../chat/session";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { Header } from "./Header";
import { LanguageContext, useObservable } from "./hooks";
import { say } from "../text/strings";
import type { Preferences } from "./preferences";
import { SettingsPanel } from "./SettingsPanel";
import type { TurnActions } from "./Turns";

interface Props {
  session: ChatSession;
  preferences: Preferences;
}

export function App({ session, preferences }: Props) {
  const state = useObservable(session);
  const { language } = useObservable(preferences);
  const [settingsOpen, setSettingsOpen] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const running = isRunning(state.conversation);

  useLayoutEffect(() => field.current?.focus(), []);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.isComposing && !settingsOpen) session.stop();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [session, settingsOpen]);

  // Nothing is asked while a setting is wrong: the panel shows which, and why.
  const settingsAreRight = () => {
    if (session.wrongSetting() === undefined) return true;
    setSettingsOpen(true);
    return false;
  };
  const toField = () => field.current?.focus();
  const actions = useMemo<TurnActions>(
    () => ({
      regenerate: () => {
        if (!settingsAreRight()) return;
        void session.regenerate();
        toField();
      },
      edit: (text) => {
        if (!settingsAreRight()) return;
        void session.editLast(text);
        toField();
      },
      clear: () => {
        session.clear();
        toField();
      },
      openSettings: () => setSettingsOpen(true),
    }),
    [session],
  );
  const send = (text: string) => {
    if (!settingsAreRight()) return false;
    void session.send(text);
    return true;
  };
  return (
    <LanguageContext.Provider value={language}>
      <a class="skip" href="#message">
        {say(language, "skip")}
      </a>
      <Header
        session={session}
        state={state}
        preferences={preferences}
        openSettings={actions.openSettings}
      />
      <Conversation session={session} state={state} actions={actions} />
      <Composer
        field={field}
        running={running}
        canSend={state.model !== "" && state.modelsState !== "failed"}
        send={send}
        stop={() => session.stop()}
      />
      {settingsOpen && (
        <SettingsPanel
          session={session}
          state={state}
          preferences={preferences}
          close={() => setSettingsOpen(false)}
        />
      )}
    </LanguageContext.Provider>
  );
}
