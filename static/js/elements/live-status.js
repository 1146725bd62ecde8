// Says aloud, to those who listen to the page, what "announce" events tell.

class LiveStatus extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback() {
    const signal = { signal: this.#listeners.signal };
    document.addEventListener("announce", (event) => (this.textContent = event.detail), signal);
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }
}

customElements.define("live-status", LiveStatus);
