import type { Shelf } from "./storage";

/** A shelf in memory. */
export class MapShelf extends Map<string, string> implements Shelf {
  getItem(name: string): string | null {
    return this.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.set(name, value);
  }
  removeItem(name: string): void {
    this.delete(name);
  }
}
