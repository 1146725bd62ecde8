// The thread's socket: it says what the page shows at every connect, and acknowledges what arrived.

const LETTERS = { pending: "p", streaming: "r", complete: "c", stopped: "s", failed: "f", interrupted: "i" };
// A message from a page costs the server as much as one to it. It waits when sixteen are not confirmed.
const CONFIRMED_TOGETHER = 8;
const RECONNECTED_BY_HTMX = [1006, 1011, 1012, 1013];

// After a restart all pages want to come back; each in its own time, and none later than after 6 seconds.
const pause = (attempts) => 300 + Math.random() * Math.min(5000, 1500 * 2 ** attempts);

class ChatSocket extends HTMLElement {
  #socket = null;
  #wrapper = null;
  #received = 0;
  #confirmed = 0;
  #listeners = new AbortController();

  connectedCallback() {
    htmx.config.wsReconnectDelay = pause;
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
    this.#received = this.#confirmed = 0;
    wrapper.queue.length = 0; // acknowledgements of the connection before mean nothing to this one
  }

  #acknowledge() {
    this.#received += 1;
    if (this.#received - this.#confirmed >= CONFIRMED_TOGETHER) this.#confirm();
    const title = document.getElementById("conversation-title")?.textContent;
    if (title) document.title = document.title.replace(/^.*(?= · )/s, () => title);
  }

  #confirm() {
    this.#confirmed = this.#received;
    this.#wrapper.send(JSON.stringify({ received: this.#received }));
  }

  // A socket that was already replaced closes too; answering that would go round in circles.
  #closed({ event, socketWrapper }) {
    if (event.target !== this.#socket || !this.isConnected) return;
    // 4429: this person has too many open. The one that is looked at comes back, see #wake.
    if ([4401, 4404, 4429, ...RECONNECTED_BY_HTMX].includes(event.code)) return;
    setTimeout(() => socketWrapper.reconnect(), pause(0));
  }

  #wake() {
    const asleep = this.#socket?.readyState === WebSocket.CLOSED;
    if (asleep && !document.hidden) this.#wrapper?.reconnect();
  }
}

customElements.define("chat-socket", ChatSocket);
