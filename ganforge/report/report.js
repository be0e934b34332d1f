"use strict";
// The page is whole without this: it adds values under the pointer, and a slider over the grids.
for (const plot of document.querySelectorAll("svg.plot")) {
  const curves = JSON.parse(plot.dataset.curves);
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  plot.parentNode.append(tip);
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
  cursor.setAttribute("class", "cursor");
  plot.append(cursor);
  const hide = () => {
    tip.hidden = true;
    cursor.removeAttribute("d");
  };
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const view = plot.viewBox.baseVal;
    const x = ((event.clientX - box.left) / box.width) * view.width;
    const nearest = (points) =>
      points.reduce((best, it) => (Math.abs(it[2] - x) < Math.abs(best[2] - x) ? it : best));
    const found = curves.map((curve) => [curve.name, nearest(curve.points)]);
    const near = nearest(found.map(([, point]) => point));
    cursor.setAttribute("d", `M${near[2]} 8V${view.height - 38}`);
    const lines = found
      .filter(([, point]) => Math.abs(point[2] - near[2]) < 8)
      .map(([name, point]) => `${name}  ${point[1]}`);
    tip.textContent = [`step ${near[0].toLocaleString("en")}`, ...lines].join("\n");
    tip.hidden = false;
    const left = (near[2] / view.width) * box.width + 12;
    const room = box.width - tip.offsetWidth;
    tip.style.left = `${Math.max(0, left > room ? left - tip.offsetWidth - 24 : left)}px`;
    tip.style.top = `${plot.offsetTop + 14}px`;
  });
}
const film = document.querySelector(".film");
const scrubber = document.querySelector(".scrubber");
const frames = film ? [...film.querySelectorAll("figure")] : [];
if (frames.length > 1) {
  const slider = scrubber.querySelector("input");
  const output = scrubber.querySelector("output");
  const button = scrubber.querySelector("button");
  let timer = null;
  const show = (number) => {
    frames.forEach((frame, place) => (frame.hidden = place !== number));
    slider.value = number;
    output.textContent = `${number + 1} of ${frames.length}`;
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };
  slider.max = frames.length - 1;
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(slider.value) === frames.length - 1) show(0);
    button.textContent = "Stop";
    timer = setInterval(() => {
      const next = Number(slider.value) + 1;
      if (next < frames.length) show(next);
      if (next >= frames.length - 1) stop();
    }, 250);
  });
  film.classList.add("one");
  scrubber.hidden = false;
  show(frames.length - 1);
}
