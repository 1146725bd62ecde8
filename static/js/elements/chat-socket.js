// The thread's socket: it says what the page shows at every connect, and acknowledges what arrived.

const LETTERS = { pending: "p", streaming: "r", complete: "c", stopped: "s", failed: "f", interrupted: "i" };
const RECONNECTED_BY_HTMX = [1006, 1011, 1012, 1013];

class ChatSocket extends HTMLElement {
  #socket = null;
  #wrapper = null;
  #received = 0;
  #listeners = new AbortController();

  connectedCallback() {
    htmx.config.wsReconnectDelay = (retries) => Math.random() * Math.min(5000, 500 * 2 ** retries);
    htmx.createWebSocket = (url) => this.#connect(url);
    const signal = { signal: this.#listeners.signal };
    this.addEventListener("htmx:wsOpen", (event) => this.#opened(event.detail.socketWrapper), signal);
    this.addEventListener("htmx:wsAfterMessage", () => this.#acknowledge(), signal);
    this.addEventListener("htmx:wsClose", (event) => this.#closed(event.detail), signal);
    window.addEventListener("online", () => this.#wrapper?.reconnect(), signal);
    document.addEventListener("visibilitychange", () => this.#wake(), signal);
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #connect(url) {
    const address = new URL(url);
    address.searchParams.set("seen", this.#seen());
    this.#socket = new WebSocket(address);
    return this.#socket;
  }

  // More than the server's window of messages, less than a server takes in an address.
  #seen() {
    const messages = [...this.querySelectorAll("#messages > .message")].slice(-100);
    return messages.map(({ id, dataset }) => `${id.slice(8, 16)}.${LETTERS[dataset.state]}`).join(",");
  }

  #opened(wrapper) {
    this.#wrapper = wrapper;
    this.#received = 0;
    wrapper.queue.length = 0; // acknowledgements of the connection before mean nothing to this one
  }

  #acknowledge() {
    this.#received += 1;
    this.#wrapper.send(JSON.stringify({ received: this.#received }));
    const title = document.getElementById("conversation-title")?.textContent;
    if (title) document.title = document.title.replace(/^.*(?= · )/s, () => title);
  }

  // A socket that was already replaced closes too; answering that would go round in circles.
  #closed({ event, socketWrapper }) {
    if (event.target !== this.#socket || !this.isConnected) return;
    if (event.code === 4401) location.assign(`${this.dataset.signIn}?next=${encodeURIComponent(location.pathname)}`);
    if ([4401, 4404, ...RECONNECTED_BY_HTMX].includes(event.code)) return;
    setTimeout(() => socketWrapper.reconnect(), 500 + Math.random() * 1500);
  }

  #wake() {
    const asleep = this.#socket?.readyState === WebSocket.CLOSED;
    if (asleep && !document.hidden) this.#wrapper?.reconnect();
  }
}

customElements.define("chat-socket", ChatSocket);
