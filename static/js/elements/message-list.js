// Where is the reader? Follow the newest words only for someone who is at the end, and never move a selection.

const NEAR = 64;
const SENTENCES = { pending: "started", streaming: "started", complete: "finished", stopped: "stopped" };

class MessageList extends HTMLElement {
  #thread = null;
  #jump = null;
  #following = true;
  #lastTop = 0;
  #lastNews = "";
  #listeners = new AbortController();
  #growth = new ResizeObserver(() => this.#follow());
  #news = new MutationObserver(() => this.#announce());

  connectedCallback() {
    this.#thread = this.querySelector("#thread"); // a frame may replace the list in it
    this.#jump = this.querySelector(".jump");
    this.#listen();
    this.#lastNews = this.#newest().join();
    history.scrollRestoration = "manual";
    this.#following = !location.hash;
    this.#follow();
    this.#growth.observe(this);
    this.#news.observe(this.#thread, { childList: true, subtree: true });
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#growth.disconnect();
    this.#news.disconnect();
  }

  jumpToLatest() {
    this.#following = true;
    getSelection().removeAllRanges();
    this.#follow();
  }

  #listen() {
    const signal = { signal: this.#listeners.signal, passive: true };
    window.addEventListener("scroll", () => this.#scrolled(), signal);
    window.addEventListener("wheel", (event) => event.deltaY < 0 && this.#release(), signal);
    this.#jump.addEventListener("click", () => this.jumpToLatest(), signal);
    this.addEventListener("composer:sent", () => this.jumpToLatest(), signal);
    this.addEventListener("htmx:beforeSwap", (event) => this.#keepPlace(event.detail.target), signal);
  }

  #scrolled() {
    const top = window.scrollY;
    if (this.#distance() <= 1) this.#following = true;
    else if (top < this.#lastTop) this.#following = false;
    else if (this.#distance() <= NEAR) this.#following = true;
    this.#lastTop = top;
    this.#showJump();
  }

  #release() {
    if (document.documentElement.scrollHeight > window.innerHeight) this.#following = false;
  }

  #follow() {
    const selection = getSelection();
    const reading = !selection.isCollapsed && this.#thread.contains(selection.anchorNode);
    if (this.#following && !reading) window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.#lastTop = window.scrollY; // a shorter page moves it too, and that is no reader scrolling up
    this.#showJump();
  }

  #showJump() {
    this.#jump.hidden = this.#distance() <= NEAR;
  }

  #distance() {
    return document.documentElement.scrollHeight - window.innerHeight - window.scrollY;
  }

  // Earlier messages arrive above the reader; the swap itself happens before the microtask.
  #keepPlace(target) {
    if (target.id !== "older") return;
    const first = this.#thread.querySelector(".message");
    const before = first.getBoundingClientRect().top;
    queueMicrotask(() => window.scrollBy({ top: first.getBoundingClientRect().top - before, behavior: "instant" }));
  }

  #newest() {
    const last = this.#thread.querySelector(".message:last-child[data-role='assistant']");
    return last ? [last.id, SENTENCES[last.dataset.state] ?? "failed"] : [];
  }

  #announce() {
    const news = this.#newest();
    if (news.join() === this.#lastNews) return;
    this.#lastNews = news.join();
    const detail = this.dataset[news[1]] ?? "";
    this.dispatchEvent(new CustomEvent("announce", { bubbles: true, detail }));
    if (news[1] && news[1] !== "started") this.dispatchEvent(new CustomEvent("answer:ended", { bubbles: true }));
  }
}

customElements.define("message-list", MessageList);
