/** Follows the end of a growing list unless its reader has scrolled up. */

/** A reader this near to the end means the end. */
const NEAR_PX = 48;

export class TailFollower {
  #scroller;
  #jump;
  #lastTop = 0;
  isFollowing = true;

  /** @param {HTMLElement | null} jump  null: the list does not grow at its end, and is never followed */
  constructor(scroller, jump, onFollow) {
    this.#scroller = scroller;
    this.#jump = jump;
    this.isFollowing = jump !== null;
    if (jump === null) return;
    scroller.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    jump.addEventListener("click", () => {
      this.isFollowing = true;
      onFollow();
      scroller.focus({ preventScroll: true });
    });
  }

  /** Scroll without its being taken for the reader's doing. */
  moveTo(top) {
    if (Math.abs(this.#scroller.scrollTop - top) >= 0.5) this.#scroller.scrollTop = top;
    this.#lastTop = this.#scroller.scrollTop;
    this.showJump();
  }

  showJump() {
    if (this.#jump !== null) this.#jump.hidden = this.isFollowing || this.#isNearEnd();
  }

  #noteScroll() {
    const { scrollTop } = this.#scroller;
    const wentUp = scrollTop < this.#lastTop - 0.5;
    this.#lastTop = scrollTop;
    if (wentUp) this.isFollowing = false;
    else if (this.#isNearEnd()) this.isFollowing = true;
    this.showJump();
  }

  #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }
}
