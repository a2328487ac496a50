import { useEffect, useState } from "preact/hooks";
import type { TextKey } from "../text/strings";
import { useSay } from "./hooks";

/** False where the browser refuses: only pages over HTTPS or of this machine may use the clipboard. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The old way, for plain HTTP in a company's network. */
function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

export function CopyButton({ text, label }: { text: string; label: TextKey }) {
  const say = useSay();
  const [said, setSaid] = useState<"copied" | "copyFailed">();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <button
      type="button"
      class="quiet"
      aria-label={said === undefined ? say(label) : say(said)}
      onClick={() => void copyText(text).then((done) => setSaid(done ? "copied" : "copyFailed"))}
    >
      {say(said ?? "copy")}
    </button>
  );
}
