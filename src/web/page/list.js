// Lists the live streams, and refreshes the list every few seconds.

const INTERVAL = 3000;

async function look() {
  try {
    const response = await fetch("/-/streams");
    if (response.ok) show(await response.json());
  } finally {
    setTimeout(look, INTERVAL);
  }
}

function show(streams) {
  document.getElementById("empty").hidden = streams.length > 0;
  document.getElementById("streams").replaceChildren(...streams.map(({ path, name, viewers }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const [title, count] = [document.createElement("strong"), document.createElement("small")];
    link.href = `${path.split("/").map(encodeURIComponent).join("/")}/${encodeURIComponent(name)}`;
    title.textContent = name;
    count.textContent = viewers === 1 ? "1 viewer" : `${viewers} viewers`;
    link.append(title, count);
    item.append(link);
    return item;
  }));
}

look();
