"use strict";
for (const shown of document.querySelectorAll("figure")) {
  const figure = JSON.parse(shown.querySelector("script").textContent);
  Plotly.newPlot(shown.querySelector(".chart"), figure.data, figure.layout, { responsive: true, displaylogo: false });
}
