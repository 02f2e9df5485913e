// What a screen reader says by itself: an answer or a count, once it is whole. Gradio puts these places on the page when
// their tab is first opened.
(() => {
  const PLACES = ["chat-base", "chat-tuned", "result"];
  const UNFINISHED = ".writing, .loading, .scoring";

  function find() {
    for (const place of PLACES.map((id) => document.getElementById(id))) {
      if (place && !place.hasAttribute("aria-live")) watch(place);
    }
  }

  function watch(place) {
    const busy = () => place.setAttribute("aria-busy", Boolean(place.querySelector(UNFINISHED)));
    place.setAttribute("aria-live", "polite");
    new MutationObserver(busy).observe(place, { subtree: true, childList: true });
    busy();
  }

  new MutationObserver(find).observe(document.documentElement, { subtree: true, childList: true });
})();
