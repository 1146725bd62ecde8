// Tells of failures that no response told of: the portal out of reach, or broken.

class ToastStack extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback() {
    const signal = { signal: this.#listeners.signal };
    document.addEventListener("htmx:sendError", () => this.#show("toast-unreachable"), signal);
    document.addEventListener("htmx:responseError", (event) => this.#refused(event.detail.xhr), signal);
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  // An error page of ours, as htmx gets it, brings its own toast.
  #refused(xhr) {
    if ([502, 503, 504].includes(xhr.status)) this.#show("toast-unreachable");
    else if (xhr.status >= 500 || !xhr.responseText.includes("hx-swap-oob")) this.#show("toast-failed");
  }

  #show(id) {
    this.append(document.importNode(document.getElementById(id).content, true));
  }
}

customElements.define("toast-stack", ToastStack);
