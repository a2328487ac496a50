import { describe, expect, it } from "vitest";
import { Drawer, readKey, type Shelf, type Storage, writeKey } from "./storage";
import { MapShelf } from "./storage_testing";

const brokenShelf: Shelf = {
  getItem: () => {
    throw new Error("denied");
  },
  setItem: () => {
    throw new Error("full");
  },
  removeItem: () => {
    throw new Error("denied");
  },
};

function shelves(): { tab: MapShelf; kept: MapShelf; storage: Storage } {
  const tab = new MapShelf();
  const kept = new MapShelf();
  return { tab, kept, storage: { tab: new Drawer(tab), kept: new Drawer(kept) } };
}

describe("the key", () => {
  it("stays in the tab unless it is to be remembered", () => {
    const { tab, kept, storage } = shelves();
    writeKey(storage, { key: "sk-1", remember: false });
    expect([...tab.values(), ...kept.values()]).toEqual(['"sk-1"']);
    expect(tab.size).toBe(1);
    expect(readKey(storage)).toEqual({ key: "sk-1", remember: false });
  });

  it("is in one place only, and in none when it is removed", () => {
    const { tab, kept, storage } = shelves();
    writeKey(storage, { key: "sk-1", remember: false });
    writeKey(storage, { key: "sk-2", remember: true });
    expect([tab.size, kept.size]).toEqual([0, 1]);
    expect(readKey(storage)).toEqual({ key: "sk-2", remember: true });
    writeKey(storage, { key: "", remember: false });
    expect([tab.size, kept.size]).toEqual([0, 0]);
    expect(readKey(storage)).toEqual({ key: "", remember: false });
  });
});

describe("a drawer", () => {
  it("is empty where there is no storage or it fails", () => {
    for (const drawer of [new Drawer(undefined), new Drawer(brokenShelf)]) {
      expect(drawer.write("a", 1)).toBe(false);
      expect(drawer.read("a")).toBeNull();
      drawer.remove("a");
    }
  });

  it("passes over what is not JSON", () => {
    expect(new Drawer(new MapShelf([["premise.a", "{"]])).read("a")).toBeNull();
  });
});
