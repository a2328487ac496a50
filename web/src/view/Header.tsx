import type { ChatSession, SessionState } from "../chat/session";
import { useSay } from "./hooks";
import { Icon } from "./icons";
import type { Preferences } from "./preferences";

interface Props {
  session: ChatSession;
  state: SessionState;
  preferences: Preferences;
  openSettings: () => void;
}

export function Header({ session, state, preferences, openSettings }: Props) {
  const say = useSay();
  const dark = preferences.isDark();
  const { language } = preferences.state;
  const darkLabel = say(dark ? "switchToLight" : "switchToDark");
  return (
    <header>
      <h1>Premise</h1>
      <ModelChoice session={session} state={state} />
      <div class="header-actions">
        <button
          type="button"
          class="quiet"
          aria-label={say("newConversation")}
          title={say("newConversation")}
          disabled={state.conversation.turns.length === 0}
          onClick={() => session.clear()}
        >
          <Icon name="plus" />
          <span class="wide-only">{say("newConversation")}</span>
        </button>
        <button
          type="button"
          class="quiet"
          lang={language === "en" ? "zh-CN" : "en"}
          aria-label={say("otherLanguageLabel")}
          onClick={() => preferences.chooseLanguage(language === "en" ? "zh" : "en")}
        >
          {say("otherLanguage")}
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={darkLabel}
          title={darkLabel}
          onClick={() => preferences.chooseTheme(dark ? "light" : "dark")}
        >
          <Icon name={dark ? "sun" : "moon"} />
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={say("settings")}
          title={say("settings")}
          aria-haspopup="dialog"
          onClick={openSettings}
        >
          <Icon name="settings" />
        </button>
      </div>
    </header>
  );
}

function ModelChoice({ session, state }: Pick<Props, "session" | "state">) {
  const say = useSay();
  const { models, model, modelsState } = state;
  return (
    <select
      class="model"
      aria-label={say("model")}
      value={model}
      disabled={models.length === 0}
      onChange={(event) => session.chooseModel(event.currentTarget.value)}
    >
      {models.length === 0 && (
        <option value={model}>{say(modelsState === "loading" ? "loadingModels" : "noModel")}</option>
      )}
      {models.map(({ id }) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  );
}
