/**
 * The connections that all of a browser's tabs may hold open for streams, between them.
 *
 * HTTP/1.1 allows six an origin. Some must stay free for requests, or a page with a dozen sessions
 * could not even stop one of them. https://w3c.github.io/web-locks/
 *
 * @typedef {object} Slot
 * @property {() => void} release
 * @property {() => Promise<boolean>} isWanted  somebody waits for it
 *
 * @typedef {Pick<LockManager, "request" | "query">} Locks
 */

const COUNT = 4;

export class Slots {
  #locks;
  #names;
  /** One choice at a time, or two would choose the same. @type {Promise<unknown>} */
  #choice = Promise.resolve();

  /** @param {Locks} [locks]  without any (a page over plain HTTP from afar) each tab is on its own */
  constructor(locks = globalThis.navigator?.locks ?? new PageLocks(), count = COUNT) {
    this.#locks = locks;
    this.#names = Array.from({ length: count }, (_, index) => `agent-stream-line-${index}`);
  }

  /** @returns {Promise<Slot | undefined>}  none when `signal` is aborted */
  acquire(signal) {
    return new Promise((resolve) => {
      this.#choice = this.#choice.then(async () => {
        const name = await this.#leastWanted();
        this.#locks
          .request(name, { signal }, () => new Promise((release) => resolve(this.#slot(name, release))))
          .catch(() => resolve(undefined));
        await Promise.resolve();
      });
    });
  }

  #slot(name, release) {
    return {
      release: () => release(),
      isWanted: async () => {
        const { pending = [] } = await this.#locks.query();
        return pending.some((lock) => lock.name === name);
      },
    };
  }

  async #leastWanted() {
    const { held = [], pending = [] } = await this.#locks.query();
    const counts = new Map(this.#names.map((name) => [name, 0]));
    for (const { name = "" } of [...held, ...pending]) {
      if (counts.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].reduce((least, entry) => (entry[1] < least[1] ? entry : least))[0];
  }
}

/** Locks of this page alone, as far as `Slots` asks for them. @implements {Locks} */
export class PageLocks {
  #last = new Map();
  #held = [];
  #pending = [];

  async request(name, options, callback) {
    const lock = { name };
    this.#pending.push(lock);
    const before = this.#last.get(name);
    const mine = Promise.withResolvers();
    this.#last.set(name, mine.promise);
    try {
      await before;
      this.#pending.splice(this.#pending.indexOf(lock), 1);
      options.signal.throwIfAborted();
      this.#held.push(lock);
      await callback(lock);
    } finally {
      const at = this.#held.indexOf(lock);
      if (at !== -1) this.#held.splice(at, 1);
      mine.resolve(undefined);
    }
  }

  async query() {
    return { held: [...this.#held], pending: [...this.#pending] };
  }
}
