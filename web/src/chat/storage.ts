// What the browser keeps for this page. The conversation, the settings and the key stay in the tab
// (sessionStorage) and are gone with it; only what a user asks to keep goes into localStorage.
// A browser may refuse either (private windows, policies): then things last as long as the page.

export interface Shelf {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

export class Drawer {
  constructor(private readonly shelf: Shelf | undefined) {}

  read(name: string): unknown {
    try {
      return JSON.parse(this.shelf?.getItem(prefix + name) ?? "null");
    } catch {
      return null;
    }
  }

  /** False where nothing was kept: no storage, or no room in it. */
  write(name: string, value: unknown): boolean {
    try {
      if (this.shelf === undefined) return false;
      this.shelf.setItem(prefix + name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  remove(name: string): void {
    try {
      this.shelf?.removeItem(prefix + name);
    } catch {
      // nothing was kept
    }
  }
}

const prefix = "premise.";

export interface Storage {
  tab: Drawer;
  kept: Drawer;
}

export function browserStorage(): Storage {
  const open = (shelf: () => Shelf): Drawer => {
    try {
      return new Drawer(shelf());
    } catch {
      return new Drawer(undefined);
    }
  };
  return { tab: open(() => window.sessionStorage), kept: open(() => window.localStorage) };
}

export interface StoredKey {
  key: string;
  remember: boolean;
}

export function readKey({ tab, kept }: Storage): StoredKey {
  const own = tab.read("key");
  if (typeof own === "string") return { key: own, remember: false };
  const remembered = kept.read("key");
  return { key: typeof remembered === "string" ? remembered : "", remember: remembered !== null };
}

/** The key is in one place or in none. */
export function writeKey({ tab, kept }: Storage, { key, remember }: StoredKey): void {
  tab.remove("key");
  kept.remove("key");
  if (key !== "") (remember ? kept : tab).write("key", key);
}
