// Reads a feed from standard input with node-ical and prints its events as JSON.
// The first argument is the folder of node modules.
import fs from "node:fs";
import { createRequire } from "node:module";

const load = createRequire(`${process.argv[2]}/`);
const ical = load("node-ical");

const feed = ical.sync.parseICS(fs.readFileSync(0, "utf8"));
const events = Object.values(feed)
  .filter((component) => component.type === "VEVENT")
  .map((event) => ({
    uid: event.uid,
    start: event.start.toISOString(),
    end: event.end.toISOString(),
    summary: event.summary,
    description: event.description,
    location: event.location,
    url: event.url,
    status: event.status,
    transparency: event.transparency,
    classification: event.class,
    categories: event.categories ?? [],
    color: event.color,
    sequence: event.sequence,
  }));
console.log(JSON.stringify(events));
