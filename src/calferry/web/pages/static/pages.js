// Asks for the page that stands open every half minute, and puts what changed in its place.
// Never while somebody is at it: focus within, an open form, or a chosen box would be lost.
"use strict";

const EVERY = 30000;

function isInUse(part) {
  const open = part.querySelector("details[open], input:checked");
  return Boolean(open) || (part.contains(document.activeElement) && document.activeElement !== part);
}

async function refresh() {
  const part = document.querySelector("[data-live]");
  if (!part || document.hidden || isInUse(part)) return;
  try {
    const answer = await fetch(location.href, { headers: { "X-Calferry-Live": "1" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    if (fresh && fresh.innerHTML !== part.innerHTML && !isInUse(part)) part.replaceWith(fresh);
  } catch {
    // The service is being restarted, say; the next time will tell.
  }
}

if (document.querySelector("[data-live]")) setInterval(refresh, EVERY);
