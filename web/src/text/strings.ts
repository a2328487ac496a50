// Every text of the page, English and Chinese side by side. {name} is filled in by say().
// A key with one language missing does not compile, and strings.test.ts looks at the rest.

export type Language = "en" | "zh";

const table = {
  // Frame
  conversation: ["Conversation", "对话"],
  model: ["Model", "模型"],
  noModel: ["No model", "没有模型"],
  loadingModels: ["Loading models…", "正在读取模型列表…"],
  newConversation: ["New conversation", "新对话"],
  settings: ["Settings", "设置"],
  close: ["Close", "关闭"],
  otherLanguage: ["中文", "English"],
  otherLanguageLabel: ["切换为中文", "Switch to English"],
  skip: ["Skip to the message field", "跳到消息输入框"],

  // Appearance
  appearance: ["Appearance", "外观"],
  themeSystem: ["As the system", "跟随系统"],
  themeLight: ["Light", "浅色"],
  themeDark: ["Dark", "深色"],
  switchToDark: ["Switch to dark", "切换为深色"],
  switchToLight: ["Switch to light", "切换为浅色"],

  // An empty conversation
  welcome: ["Ask {model}", "向 {model} 提问"],
  welcomeNoModel: ["Premise", "Premise"],
  privacy: [
    "What you write goes to this server and nowhere else. The conversation is kept in this browser tab and is gone when you close it.",
    "您输入的内容只会发送到本服务器。对话保存在当前浏览器标签页中，关闭标签页后即消失。",
  ],
  context: [
    "Question and answer together: up to {count} tokens.",
    "提问与回答合计最多 {count} 个词元。",
  ],

  // Writing
  message: ["Message", "消息"],
  messagePlaceholder: ["Write a message", "输入消息"],
  messageHint: ["Enter sends, Shift+Enter begins a new line", "Enter 发送，Shift+Enter 换行"],
  send: ["Send", "发送"],
  stop: ["Stop", "停止"],
  stopHint: ["Esc stops the answer", "按 Esc 停止回答"],

  // Turns
  you: ["You", "您"],
  edit: ["Edit", "编辑"],
  editLabel: ["Edit your last message", "编辑最后一条消息"],
  resend: ["Send again", "重新发送"],
  cancel: ["Cancel", "取消"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  copyFailed: ["Not copied", "复制失败"],
  copyCode: ["Copy code", "复制代码"],
  copyAnswer: ["Copy the answer", "复制回答"],
  regenerate: ["Regenerate", "重新生成"],
  thinking: ["Reading the conversation…", "正在读取对话…"],
  toLatest: ["To the latest text", "跳到最新内容"],

  // Said to screen readers
  answerBegun: ["The answer is being written.", "正在生成回答。"],
  answerDone: ["The answer is complete.", "回答已完成。"],

  // How an answer ended
  stoppedByYou: ["Stopped", "已停止"],
  endedByLength: [
    "The answer reached its limit of tokens. A higher limit is in the settings.",
    "回答达到词元上限。可在设置中提高上限。",
  ],
  endedByFilter: [
    "The server's word filter ended this answer.",
    "服务器的敏感词过滤终止了此回答。",
  ],
  emptyAnswer: ["The model ended without a word.", "模型没有输出任何内容。"],
  firstToken: ["First token after {seconds} s", "首个词元 {seconds} 秒"],
  speed: ["{speed} tokens/s", "{speed} 词元/秒"],
  tokens: ["{count} tokens", "{count} 个词元"],

  // Settings
  system: ["System prompt", "系统提示"],
  systemHint: [
    "Instructions that go before the conversation.",
    "放在对话之前的指示。",
  ],
  sampling: ["Sampling", "采样"],
  samplingHint: ["An empty field leaves the choice to the server.", "留空则由服务器决定。"],
  temperature: ["Temperature", "温度（temperature）"],
  temperatureHint: ["0 to 2; 0 always takes the likeliest token", "0 到 2；0 表示总是选择最可能的词元"],
  top_p: ["Top-p", "核采样（top_p）"],
  top_pHint: ["0 to 1; share of probability to draw from", "0 到 1；参与抽样的概率份额"],
  top_k: ["Top-k", "前 k 个（top_k）"],
  top_kHint: ["likeliest tokens to draw from; 0: all", "只从最可能的 k 个词元中抽样；0 表示全部"],
  max_tokens: ["Longest answer", "最长回答（max_tokens）"],
  max_tokensHint: ["in tokens; empty: as much as fits", "以词元计；留空则直到占满上下文"],
  seed: ["Seed", "随机种子（seed）"],
  seedHint: ["the same seed repeats an answer", "相同的种子会重现同样的回答"],
  wrongNumber: ["This must be a number from {least} to {most}.", "必须是 {least} 到 {most} 之间的数。"],
  wrongWhole: [
    "This must be a whole number from {least} to {most}.",
    "必须是 {least} 到 {most} 之间的整数。",
  ],
  wrongSeed: ["This must be a whole number.", "必须是整数。"],
  resetSampling: ["Reset", "恢复默认"],

  // The key
  key: ["API key", "API 密钥"],
  keyHint: [
    "Keys begin with sk- and come from whoever runs this server. The key is kept in this tab and is gone when you close it.",
    "密钥以 sk- 开头，由服务器管理员提供。密钥只保存在当前标签页中，关闭标签页后即消失。",
  ],
  keyRememberedHint: [
    "The key is stored in this browser, unencrypted, until you remove it. Do not choose this on a shared computer.",
    "密钥将以未加密形式存储在此浏览器中，直到您将其移除。请勿在公用电脑上选择此项。",
  ],
  remember: ["Remember the key in this browser", "在此浏览器中记住密钥"],
  showKey: ["Show", "显示"],
  hideKey: ["Hide", "隐藏"],
  useKey: ["Use this key", "使用此密钥"],
  removeKey: ["Remove the key", "移除密钥"],
  keyAccepted: ["The server answers with this key.", "使用此密钥，服务器已正常响应。"],
  keyNotNeeded: ["This server answers without a key.", "此服务器无需密钥即可使用。"],
  enterKey: ["Enter a key", "输入密钥"],

  // What went wrong, and what to do
  serverSays: ["The server says: {detail}", "服务器消息：{detail}"],
  retry: ["Try again", "重试"],
  retryIn: ["Try again in {seconds} s", "{seconds} 秒后可重试"],
  newConversationInstead: ["Begin a new conversation", "开始新对话"],
  openSettings: ["Open the settings", "打开设置"],
  key_missing: [
    "This server needs an API key. Enter the one that you were given.",
    "此服务器需要 API 密钥。请输入您获得的密钥。",
  ],
  key_wrong: [
    "The server does not know this API key. Check it for missing characters, or ask for a new one.",
    "服务器无法识别此 API 密钥。请检查是否有遗漏的字符，或申请新的密钥。",
  ],
  key_expired: [
    "This API key has expired. Ask whoever runs the server for a new one.",
    "此 API 密钥已过期。请向服务器管理员申请新的密钥。",
  ],
  forbidden: [
    "This API key may not do that. Ask whoever runs the server for a key with the right scope.",
    "此 API 密钥没有相应权限。请向服务器管理员申请具有所需权限的密钥。",
  ],
  origin: [
    "The server does not accept this address of the page. Open it under the address that the server printed at its start, or have the name added to allowed_hosts.",
    "服务器不接受此页面地址。请使用服务器启动时显示的地址打开，或请管理员将此名称加入 allowed_hosts。",
  ],
  model_gone: [
    "The server does not serve this model any more. Choose another one.",
    "服务器已不再提供此模型。请选择其他模型。",
  ],
  too_long: [
    "The conversation is too long for this model. Shorten the message, lower the longest answer in the settings, or begin a new conversation.",
    "对话超出了此模型的长度。请缩短消息、在设置中降低最长回答，或开始新对话。",
  ],
  too_large: [
    "The message is larger than the server takes. Shorten it.",
    "消息超出服务器允许的大小。请缩短消息。",
  ],
  refused: [
    "The server did not accept the request. Change the message or the settings.",
    "服务器未接受此请求。请修改消息或设置。",
  ],
  limit: [
    "This key has reached its limit for now. Wait, then try again.",
    "此密钥已达到当前限额。请稍候再试。",
  ],
  busy: [
    "The server has no room at the moment. Wait, then try again.",
    "服务器目前没有空余容量。请稍候再试。",
  ],
  server: [
    "The server met an error of its own. Try again; if it happens again, tell whoever runs it.",
    "服务器发生内部错误。请重试；如再次出现，请告知服务器管理员。",
  ],
  unreachable: [
    "The server does not answer. Check that it runs and that the network is up, then try again.",
    "服务器没有响应。请确认服务器正在运行且网络正常，然后重试。",
  ],
  cut: [
    "The connection broke before the answer was complete. Try again.",
    "回答完成之前连接中断。请重试。",
  ],
  failed: [
    "The server could not finish this answer. Try again.",
    "服务器未能完成此回答。请重试。",
  ],
  strange: [
    "The answer is not one of Premise's. A proxy in between may have changed it; tell whoever runs the server.",
    "收到的响应不是 Premise 的格式，可能被中间的代理修改。请告知服务器管理员。",
  ],
  noModels: [
    "This server offers no model to you. Ask whoever runs it.",
    "此服务器没有向您提供模型。请联系服务器管理员。",
  ],
} satisfies Record<string, readonly [english: string, chinese: string]>;

export type TextKey = keyof typeof table;

export const textTable: Record<TextKey, readonly [string, string]> = table;

export function say(
  language: Language,
  key: TextKey,
  values: Record<string, string | number> = {},
): string {
  const text = textTable[key][language === "en" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The first of the browser's languages that is one of the page's; English if none is. */
export function languageOf(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    if (/^zh\b/i.test(tag)) return "zh";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

export function isLanguage(value: unknown): value is Language {
  return value === "en" || value === "zh";
}

/** As documents and the server name it. */
export function languageTag(language: Language): string {
  return language === "zh" ? "zh-CN" : "en";
}
