// What a user's program does with OpenAI's own client, done with Premise behind it. The client is
// used as published: only the address and the key differ. Run by openai_client_js.py, which starts
// the server: node openai_client.mjs PORT KEY CONTEXT.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(new URL('./js/package.json', import.meta.url));
const { OpenAI, NotFoundError, BadRequestError, AuthenticationError, APIUserAbortError } =
  require('openai');

const [port, key, context] = process.argv.slice(2);
const baseURL = `http://127.0.0.1:${port}/v1`;
const client = new OpenAI({ apiKey: key, baseURL, maxRetries: 0 });
const model = 'tiny';
const messages = [{ role: 'user', content: 'Grüße, 你好!' }];

const checks = {
  async models() {
    const ids = [];
    for await (const each of client.models.list()) ids.push(each.id);
    assert.deepEqual(ids, [model]);
    const one = await client.models.retrieve(model);
    assert.equal(one.object, 'model');
    assert.equal(one.context_length, Number(context));
  },

  async chat() {
    const answer = await client.chat.completions.create({
      model, messages, max_completion_tokens: 8, temperature: 0, n: 2, ignore_eos: true });
    assert.equal(answer.object, 'chat.completion');
    assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
    assert.equal(answer.choices[0].message.role, 'assistant');
    assert.equal(answer.choices[0].message.content, answer.choices[1].message.content);
    assert.equal(answer.usage.completion_tokens, 16);
    assert.equal(answer.usage.total_tokens,
      answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.ok(answer._request_id);
  },

  async stream() {
    const wanted = { model, messages, max_completion_tokens: 12, temperature: 0 };
    const whole = await client.chat.completions.create(wanted);
    const stream = await client.chat.completions.create(
      { ...wanted, stream: true, stream_options: { include_usage: true } });
    let text = '', finish = [], usage;
    for await (const chunk of stream) {
      assert.equal(chunk.object, 'chat.completion.chunk');
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) finish.push(chunk.choices[0].finish_reason);
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.deepEqual(finish, [whole.choices[0].finish_reason]);
    assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
  },

  async stream_helper() {
    const events = [];
    const runner = client.chat.completions.stream({ model, messages, max_completion_tokens: 6 })
      .on('content', (delta) => events.push(delta));
    const answer = await runner.finalChatCompletion();
    assert.equal(events.join(''), answer.choices[0].message.content);
  },

  async completions() {
    const answer = await client.completions.create({
      model, prompt: ['one', 'two'], max_tokens: 4, temperature: 0, echo: true });
    assert.equal(answer.object, 'text_completion');
    assert.ok(answer.choices[0].text.startsWith('one'));
    assert.ok(answer.choices[1].text.startsWith('two'));
    let text = '';
    for await (const chunk of await client.completions.create(
      { model, prompt: 'one', max_tokens: 4, temperature: 0, echo: true, stream: true }))
      text += chunk.choices[0].text;
    assert.equal(text, answer.choices[0].text);
  },

  async logprobs() {
    const answer = await client.chat.completions.create({
      model, messages, max_completion_tokens: 4, logprobs: true, top_logprobs: 3,
      ignore_eos: true });
    const { content } = answer.choices[0].logprobs;
    assert.equal(content.length, 4);
    for (const each of content) {
      assert.ok(each.logprob <= 0);
      assert.equal(each.top_logprobs.length, 3);
      assert.ok(each.top_logprobs[0].logprob >= each.top_logprobs[2].logprob);
    }
    const plain = await client.completions.create(
      { model, prompt: 'one', max_tokens: 4, logprobs: 2, ignore_eos: true });
    assert.equal(plain.choices[0].logprobs.token_logprobs.length, 4);
  },

  async stop_and_seed() {
    const wanted = { model, prompt: 'one', max_tokens: 24, temperature: 1, seed: 7 };
    const first = await client.completions.create(wanted);
    const again = await client.completions.create(wanted);
    assert.equal(first.choices[0].text, again.choices[0].text);
    const stop = [...first.choices[0].text].at(5);
    const cut = await client.completions.create({ ...wanted, stop });
    assert.equal(cut.choices[0].text, first.choices[0].text.split(stop)[0]);
    assert.equal(cut.choices[0].finish_reason, 'stop');
  },

  async errors() {
    const wrong = { model, messages, max_completion_tokens: 4 };
    await assert.rejects(client.chat.completions.create({ ...wrong, model: 'no-such' }),
      (error) => error instanceof NotFoundError && error.code === 'model_not_found');
    await assert.rejects(client.chat.completions.create({ ...wrong, temprature: 1 }),
      (error) => error instanceof BadRequestError && error.code === 'unknown_parameter'
        && error.param === 'temprature' && error.message.includes('temperature'));
    await assert.rejects(client.chat.completions.create({ ...wrong, max_completion_tokens: 1e6 }),
      (error) => error.code === 'context_length_exceeded' && error.message.includes(context));
    await assert.rejects(client.chat.completions.create({ ...wrong, temperature: 9, stream: true }),
      (error) => error instanceof BadRequestError && error.param === 'temperature');
    const stranger = new OpenAI({ apiKey: 'sk-wrong', baseURL, maxRetries: 0 });
    await assert.rejects(stranger.models.list(), AuthenticationError);
  },

  async abort() {
    // Eight long answers, so that a fast server is not done before a client on a busy machine wakes.
    const [n, length] = [8, context - 64];
    const stream = await client.completions.create(
      { model, prompt: 'one', n, max_tokens: length, stream: true, ignore_eos: true });
    let chunks = 0;
    for await (const chunk of stream) {
      assert.equal(chunk.choices.length, 1);
      if (++chunks === 3) stream.controller.abort();
    }
    assert.ok(chunks < n * length / 2, `${chunks} chunks came in spite of the abort`);
    const controller = new AbortController();
    const asked = client.completions.create(
      { model, prompt: 'one', n, max_tokens: length, ignore_eos: true },
      { signal: controller.signal });
    setTimeout(() => controller.abort(), 1);
    await assert.rejects(asked, APIUserAbortError);
  },

  async many_at_once() {
    const answers = await Promise.all(Array.from({ length: 32 }, () =>
      client.completions.create({ model, prompt: 'one', max_tokens: 8, temperature: 0 })));
    assert.equal(new Set(answers.map((answer) => answer.choices[0].text)).size, 1);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`${name}: as OpenAI's client for JavaScript wants it`);
}
