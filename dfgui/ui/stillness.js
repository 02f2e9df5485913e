/* A page on which nothing happens wakes nobody.

   Gradio 6.31's loading screen counts its seconds in a loop of animation frames that outlives it: 60 times a second, for
   as long as the page is open. The loop is known by what it does, and gets no more frames once the page stands. */
(() => {
  const ask = window.requestAnimationFrame.bind(window);
  const counts = (draw) => /performance\.now\(\)/.test(String(draw));
  const stands = () => document.getElementById("shell") !== null;
  let counting = false; // whether the frame drawn now is one of the loop

  window.requestAnimationFrame = (draw) => {
    if (!counting && (stands() || !counts(draw))) return ask(draw);
    if (stands()) return 0;
    return ask((now) => {
      counting = true;
      draw(now);
      counting = false;
    });
  };
})();
