import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { ChatSession, SessionState } from "../chat/session";
import { readField, type SettingField, settingFields, usualSettings } from "../chat/settings";
import type { TextKey } from "../text/strings";
import { useSay } from "./hooks";
import { Icon } from "./icons";
import { KeyForm } from "./KeyForm";
import { ProblemView } from "./ProblemView";
import { type Preferences, type Theme, themes } from "./preferences";

const themeNames: Record<Theme, TextKey> = {
  system: "themeSystem",
  light: "themeLight",
  dark: "themeDark",
};

interface Props {
  session: ChatSession;
  state: SessionState;
  preferences: Preferences;
  close: () => void;
}

/** A modal dialog at the side: the browser keeps the focus in it, and Esc closes it. */
export function SettingsPanel({ session, state, preferences, close }: Props) {
  const say = useSay();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-labelledby={`${id}-title`}
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="panel-body">
        <div class="panel-head">
          <h2 id={`${id}-title`}>{say("settings")}</h2>
          <button
            type="button"
            class="quiet"
            aria-label={say("close")}
            onClick={() => dialog.current?.close()}
          >
            <Icon name="close" />
          </button>
        </div>
        <SystemPrompt session={session} state={state} />
        <SamplingFields session={session} state={state} />
        <section>
          <KeyForm session={session} state={state} />
          {state.modelsProblem && <ProblemView problem={state.modelsProblem} />}
        </section>
        <fieldset>
          <legend>{say("appearance")}</legend>
          <div class="choices">
            {themes.map((theme) => (
              <label key={theme} class="check">
                <input
                  type="radio"
                  name={`${id}-theme`}
                  checked={preferences.state.theme === theme}
                  onChange={() => preferences.chooseTheme(theme)}
                />
                {say(themeNames[theme])}
              </label>
            ))}
          </div>
        </fieldset>
      </div>
    </dialog>
  );
}

function SystemPrompt({ session, state }: Pick<Props, "session" | "state">) {
  const say = useSay();
  const id = useId();
  return (
    <section>
      <label for={id}>{say("system")}</label>
      <textarea
        id={id}
        rows={4}
        value={state.settings.system}
        aria-describedby={`${id}-hint`}
        onInput={(event) => {
          const system = event.currentTarget.value;
          session.changeSettings((settings) => ({ ...settings, system }));
        }}
      />
      <p id={`${id}-hint`} class="hint">
        {say("systemHint")}
      </p>
    </section>
  );
}

function SamplingFields({ session, state }: Pick<Props, "session" | "state">) {
  const say = useSay();
  const change = (name: SettingField["name"], typed: string) =>
    session.changeSettings((settings) => ({
      ...settings,
      sampling: { ...settings.sampling, [name]: typed },
    }));
  return (
    <fieldset>
      <legend>{say("sampling")}</legend>
      <p class="hint">{say("samplingHint")}</p>
      {settingFields.map((field) => (
        <NumberField
          key={field.name}
          field={field}
          typed={state.settings.sampling[field.name]}
          change={(typed) => change(field.name, typed)}
        />
      ))}
      <button
        type="button"
        onClick={() =>
          session.changeSettings((settings) => ({ ...settings, sampling: usualSettings.sampling }))
        }
      >
        {say("resetSampling")}
      </button>
    </fieldset>
  );
}

function wrongText(field: SettingField): TextKey {
  if (field.name === "seed") return "wrongSeed"; // its limits would be two lines of digits
  return field.step === 1 ? "wrongWhole" : "wrongNumber";
}

interface NumberFieldProps {
  field: SettingField;
  typed: string;
  change: (typed: string) => void;
}

function NumberField({ field, typed, change }: NumberFieldProps) {
  const say = useSay();
  const id = useId();
  const wrong = readField(field, typed) === "wrong";
  const { least, most } = field;
  return (
    <div class="number-field">
      <label for={id}>{say(field.name)}</label>
      <input
        id={id}
        inputMode={field.step === 1 ? "numeric" : "decimal"}
        value={typed}
        autocomplete="off"
        aria-invalid={wrong}
        aria-describedby={`${id}-hint`}
        onInput={(event) => change(event.currentTarget.value)}
      />
      <p id={`${id}-hint`} class={wrong ? "hint warning" : "hint"}>
        {wrong ? say(wrongText(field), { least, most }) : say(`${field.name}Hint`)}
      </p>
    </div>
  );
}
