// The recordings of this application, the newest first; each opens in the player.

const element = (id) => document.getElementById(id);
const application = location.pathname.replace(/\/[^/]*$/, "");

function row({ name, size, modified }) {
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.href = `${application}/${encodeURIComponent(name)}?recorded`;
  link.textContent = name;
  const about = document.createElement("span");
  const megabytes = (size / 1e6).toFixed(1);
  about.textContent = `${megabytes} MB, ${new Date(modified).toLocaleString()}`;
  line.append(link, about);
  return line;
}

async function show() {
  const answer = await fetch(`/-/recordings${application}`);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  const recordings = await answer.json();
  element("recordings").replaceChildren(...recordings.map(row));
  element("problem").textContent = recordings.length > 0 ? "" : "No recordings yet.";
}

show().catch((error) =>
  element("problem").textContent = `Cannot list recordings: ${error.message}`
);
