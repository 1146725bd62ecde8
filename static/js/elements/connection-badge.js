// Is the page still connected? Silent about the first seconds, so that waking a tab does not flash.

const PATIENCE = 3000;

class ConnectionBadge extends HTMLElement {
  #timer = null;
  #listeners = new AbortController();

  connectedCallback() {
    const socket = this.closest("chat-socket");
    const signal = { signal: this.#listeners.signal };
    socket.addEventListener("htmx:wsOpen", () => this.#show("online"), signal);
    socket.addEventListener("htmx:wsClose", (event) => this.#closed(event.detail.event.code), signal);
    window.addEventListener("offline", () => this.#closed(1006), signal);
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearTimeout(this.#timer);
  }

  #closed(code) {
    if (code === 4401) this.#show("signed-out");
    else if (code === 4404) this.#show("gone");
    else this.#timer ??= setTimeout(() => this.#show("offline"), PATIENCE);
  }

  #show(state) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.dataset.state = state;
  }
}

customElements.define("connection-badge", ConnectionBadge);
