import assert from "node:assert/strict";
import { test } from "node:test";

/** A fresh copy of the module, which knows no server yet. */
let copies = 0;
function clock() {
  copies += 1;
  return import(`../../../webapp/static/js/clock.js?copy=${copies}`);
}

const DATE = "Sat, 28 Nov 2026 01:00:00 GMT";
const AT = Date.parse(DATE);

test("a clock that agrees with the server's is left alone", async (t) => {
  const { noteServerDate, serverNow } = await clock();
  t.mock.timers.enable({ apis: ["Date"], now: AT + 600 });
  noteServerDate(DATE, AT + 500);
  assert.equal(serverNow(), AT + 600);
});

test("a clock that is ten minutes fast shows the server's time, to the second and better", async (t) => {
  const { noteServerDate, serverNow } = await clock();
  t.mock.timers.enable({ apis: ["Date"], now: AT + 600_020 });
  noteServerDate(DATE, AT + 600_000);
  assert.ok(Math.abs(serverNow() - AT) <= 1_000, "one answer");
  // The next second began 40 ms ago by the server's clock.
  t.mock.timers.tick(1_000);
  noteServerDate("Sat, 28 Nov 2026 01:00:01 GMT", AT + 601_000);
  assert.ok(Math.abs(serverNow() - AT - 1_000) <= 1_000);
});

test("a server whose clock was set is followed, and an answer without a date changes nothing", async (t) => {
  const { noteServerDate, serverNow } = await clock();
  t.mock.timers.enable({ apis: ["Date"], now: AT });
  noteServerDate("Sat, 28 Nov 2026 03:00:00 GMT", AT);
  noteServerDate(DATE, AT);
  noteServerDate(null, AT);
  assert.equal(serverNow(), AT);
});
