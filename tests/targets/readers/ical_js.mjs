// Reads a feed from standard input with ical.js (Thunderbird's parser) and prints its events as JSON.
// The first argument is the folder of node modules.
import fs from "node:fs";
import { createRequire } from "node:module";

const load = createRequire(`${process.argv[2]}/`);
const module = load("ical.js");
const ICAL = module.default ?? module;

const feed = new ICAL.Component(ICAL.parse(fs.readFileSync(0, "utf8")));
const events = feed.getAllSubcomponents("vevent").map((event) => {
  const value = (name) => event.getFirstPropertyValue(name);
  return {
    uid: value("uid"),
    start: value("dtstart").toJSDate().toISOString(),
    end: value("dtend").toJSDate().toISOString(),
    summary: value("summary"),
    description: value("description"),
    location: value("location"),
    url: value("url"),
    status: value("status"),
    transparency: value("transp"),
    classification: value("class"),
    categories: event.getFirstProperty("categories")?.getValues() ?? [],
    color: value("color"),
    sequence: value("sequence"),
  };
});
console.log(JSON.stringify(events));
