import { equal, gate, ok, refused, rejection } from './check.mjs';

export default {
  async "keeps a task error's class, message, stack, cause and own fields"(t) {
    const error = await rejection((await t.runtime()).run('throwCustom'));
    ok(error instanceof Error, 'an Error');
    equal(error.name, 'CustomError');
    equal(error.message, 'custom');
    ok(error.stack.includes('throwCustom'), 'the stack of the worker');
    ok(error.cause instanceof RangeError, 'the cause to keep its class');
    equal(error.cause.message, 'inner');
    equal(error.status, 404);
    equal(error.detail, { path: ['a', 1] });
    ok(error.callback.includes('=>'), 'a field that can not be cloned as text');
  },

  async 'keeps native classes'(t) {
    const runtime = await t.runtime();
    ok((await rejection(runtime.run('rejectType'))) instanceof TypeError, 'a TypeError');
    const dom = await rejection(runtime.run('throwDom'));
    ok(dom instanceof DOMException, 'a DOMException');
    equal(dom.name, 'NotFoundError');
    const both = await rejection(runtime.run('throwAggregate'));
    ok(both instanceof AggregateError && both.errors[0] instanceof TypeError, 'an AggregateError');
    equal(both.errors[1], 'two');
  },

  async 'keeps whatever else is thrown'(t) {
    const runtime = await t.runtime();
    for (const thrown of ['text', 7, null, { code: 'E1' }]) {
      equal(await rejection(runtime.run('throwValue', thrown)), thrown);
    }
    equal(await rejection(runtime.run('throwValue', undefined)), undefined);
  },

  async 'survives errors that can not be read'(t) {
    const runtime = await t.runtime();
    equal((await rejection(runtime.run('throwRing'))).message, 'ring');
    ok((await rejection(runtime.run('throwTrap'))) !== undefined, 'some error');
    equal(await runtime.run('square', 2), 4);
  },

  async 'a task fails with what it lets escape from a timer or a promise, and its worker goes on'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const inTimer = await rejection(runtime.run('throwInTimer'));
    equal([inTimer.name, inTimer.message], ['TypeError', 'in a timer']);
    const unhandled = await rejection(runtime.run('rejectUnhandled'));
    equal([unhandled.name, unhandled.message], ['RangeError', 'nobody listens']);
    equal(await runtime.run('square', 3), 9);
    equal(runtime.stats().workers[0].generation, 1, 'generation of the worker');
  },

  async 'input that can not be cloned fails its own task only'(t) {
    const runtime = await t.runtime({ workers: 2 });
    await runtime.run('square', 1);
    const [bad, ...good] = await Promise.all([
      rejection(runtime.run('echo', { callback: () => 1 })),
      runtime.run('square', 2),
      runtime.run('square', 3),
      runtime.run('square', 4),
    ]);
    equal([bad.code, bad.name], ['ERR_NOT_CLONEABLE', 'QuillworkError']);
    ok(bad.message.includes('"echo"'), 'the name of the task');
    equal(good, [4, 9, 16]);
    equal(runtime.stats().workersLost, 0);
  },

  async 'a buffer that was moved before is refused, by name'(t) {
    const runtime = await t.runtime();
    const buffer = new ArrayBuffer(8);
    await runtime.run('echo', buffer, { transfer: [buffer] });
    const error = await refused(runtime.run('echo', buffer, { transfer: [buffer] }), 'ERR_NOT_CLONEABLE');
    ok(error.message.includes('"echo"'), 'the name of the task');
  },

  async 'a result or progress that can not be cloned fails its own task only'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const door = gate();
    const [result, , progress] = await Promise.all([
      rejection(runtime.run('uncloneableResult')),
      runtime.run('square', 2),
      rejection(runtime.run('uncloneableProgress')),
      runtime.run('square', 3),
    ]);
    for (const [error, name] of [
      [result, 'uncloneableResult'],
      [progress, 'uncloneableProgress'],
    ]) {
      equal(error.code, 'ERR_NOT_CLONEABLE');
      ok(error.message.includes(`"${name}"`), `the name of the task in "${error.message}"`);
    }
    equal(runtime.stats().workersLost, 0);
    door.close();
  },
};
