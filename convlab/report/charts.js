"use strict";
const dark = matchMedia("screen and (prefers-color-scheme: dark)");
const places = [...document.querySelectorAll("figure")].map(figure => {
  const figures = [...figure.querySelectorAll("script")].map(script => [script.dataset.theme, JSON.parse(script.textContent)]);
  return { chart: figure.querySelector(".chart"), themes: Object.fromEntries(figures) };
});

function draw(theme) {
  for (const { chart, themes } of places) {
    Plotly.react(chart, themes[theme].data, themes[theme].layout, { responsive: true, displaylogo: false });
  }
}

const drawAsShown = () => draw(dark.matches ? "dark" : "light");
drawAsShown();
dark.addEventListener("change", drawAsShown);
addEventListener("beforeprint", () => draw("light"));
addEventListener("afterprint", drawAsShown);
