// Language and theme: the browser's, until the user chooses. What was chosen is kept in the browser.
import type { Drawer } from "../chat/storage";
import { isLanguage, type Language, languageOf, languageTag } from "../text/strings";

export type Theme = "system" | "light" | "dark";
export const themes: readonly Theme[] = ["system", "light", "dark"];

export interface PreferenceState {
  language: Language;
  theme: Theme;
}

export class Preferences {
  private listeners = new Set<() => void>();
  private current: PreferenceState;

  constructor(private readonly kept: Drawer) {
    const language = kept.read("language");
    const theme = kept.read("theme");
    this.current = {
      language: isLanguage(language) ? language : languageOf(navigator.languages),
      theme: themes.find((each) => each === theme) ?? "system",
    };
    this.show();
  }

  get state(): PreferenceState {
    return this.current;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  chooseLanguage(language: Language): void {
    this.kept.write("language", language);
    this.set({ language });
  }

  chooseTheme(theme: Theme): void {
    this.kept.write("theme", theme);
    this.set({ theme });
  }

  /** What is seen now, whoever chose it. */
  isDark(): boolean {
    const { theme } = this.current;
    return theme === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
  }

  private set(change: Partial<PreferenceState>): void {
    this.current = { ...this.current, ...change };
    this.show();
    for (const listener of this.listeners) listener();
  }

  private show(): void {
    const { language, theme } = this.current;
    const root = document.documentElement;
    root.lang = languageTag(language);
    if (theme === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = theme;
  }
}
