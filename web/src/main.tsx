import { render } from "preact";
import { Client } from "./api/client";
import { ChatSession } from "./chat/session";
import { browserStorage } from "./chat/storage";
import { languageTag } from "./text/strings";
import { App } from "./view/App";
import { Preferences } from "./view/preferences";
import "./view/style.css";

const storage = browserStorage();
const preferences = new Preferences(storage.kept);
const session = new ChatSession({
  client: new Client(),
  storage,
  language: () => languageTag(preferences.state.language),
  now: () => performance.now(),
});

render(<App session={session} preferences={preferences} />, document.getElementById("page")!);
addEventListener("pagehide", () => session.leave());
void session.loadModels();
