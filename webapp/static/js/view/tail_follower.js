/** Keeps the end of a growing text in sight, unless its reader has scrolled up to read. */

/** A reader this near to the end means the end. */
const NEAR_PX = 48;

export class TailFollower {
  #scroller;
  #jump;
  #isFollowing = true;
  #lastTop = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} content  what grows in it
   * @param {HTMLButtonElement} jump
   */
  constructor(scroller, content, jump) {
    this.#scroller = scroller;
    this.#jump = jump;

    scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    jump.addEventListener("click", () => {
      this.follow();
      scroller.focus({ preventScroll: true });
    });
    // Text that wraps anew and blocks that are laid out late change the height without a scroll.
    const observer = new ResizeObserver(() => this.#settle());
    observer.observe(content);
    observer.observe(scroller);
  }

  follow() {
    this.#isFollowing = true;
    this.#settle();
  }

  /** Show the beginning, and stay there. */
  rest() {
    this.#isFollowing = false;
    this.#scroller.scrollTop = 0;
    this.#lastTop = 0;
  }

  #settle() {
    if (this.#isFollowing) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#lastTop = this.#scroller.scrollTop;
    }
    this.#showJump();
  }

  #noteScroll() {
    const { scrollTop } = this.#scroller;
    const wentUp = scrollTop < this.#lastTop;
    this.#lastTop = scrollTop;
    if (this.#isNearEnd()) this.#isFollowing = true;
    else if (wentUp) this.#isFollowing = false;
    this.#showJump();
  }

  #showJump() {
    this.#jump.hidden = this.#isFollowing || this.#isNearEnd();
  }

  #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }
}
