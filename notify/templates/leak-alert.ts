import { WORDS } from "../words/index.js";
import { cost } from "./cost.js";
import { Format } from "./format.js";
import { answerLinks, framed, service, type Frame, type Told } from "./frame.js";
import { hoursChart } from "./hours-chart.js";
import type { Block, Letter } from "./letter.js";

/** A leak: since when, how much, what to do. Also for one that ended before it could be told. */
export function leakAlert(frame: Frame, told: Told): Letter {
  const { mail } = WORDS[frame.language];
  const words = mail.leak;
  const { over, flow } = told;
  return framed(frame, {
    subject: over ? words[flow].overSubject : words[flow].subject,
    heading: over ? words.overHeading : words.heading,
    blocks: over ? overBlocks(frame, told) : runningBlocks(frame, told),
  });
}

function runningBlocks(frame: Frame, told: Told): Block[] {
  const { mail } = WORDS[frame.language];
  const { flow, start, accountEnding } = told;
  const at = service(frame.language, accountEnding);
  const since = new Format(frame.utility, frame.language).moment(start);
  const { runs, why } = mail.leak[flow];
  return [
    { text: `${runs({ at, since })} ${why}` },
    { facts: facts(frame, told) },
    ...hoursChart(frame, told),
    { title: mail.whatToDo, steps: mail.leak.steps[isByTheDay(flow) ? flow : "leak"] },
    ...answerLinks(frame, told),
    { text: mail.leak.once },
  ];
}

function overBlocks(frame: Frame, told: Told): Block[] {
  const { mail } = WORDS[frame.language];
  const { flow, start, end, accountEnding } = told;
  const format = new Format(frame.utility, frame.language);
  const ran = mail.leak[flow].ran({
    at: service(frame.language, accountEnding),
    from: format.moment(start),
    to: format.moment(end),
  });
  return [
    { text: `${ran} ${mail.leak.overNote}` },
    { facts: facts(frame, told) },
    ...hoursChart(frame, told),
    { text: mail.leak.lookAt[flow === "watering" ? "watering" : "leak"] },
  ];
}

function facts(frame: Frame, told: Told): [string, string][] {
  const { mail } = WORDS[frame.language];
  const { over, flow, start, end, rate, volume } = told;
  const format = new Format(frame.utility, frame.language);
  const perHour = format.volume(rate);
  const rows: [string, string][] = [
    [over ? mail.fact.ran : mail.fact.running, format.duration(end - start)],
    [
      mail.leak[flow].rate,
      isByTheDay(flow)
        ? mail.fact.about({ volume: perHour })
        : mail.fact.anHourAndDay({ hour: perHour, day: format.volume(rate * 24) }),
    ],
  ];
  if (volume !== undefined)
    rows.push([
      over ? mail.fact.used : mail.fact.usedSoFar,
      mail.fact.about({ volume: format.volume(volume) }),
    ]);
  rows.push(...cost(frame, told));
  if (!over) rows.push([mail.fact.lastReading, format.moment(end)]);
  return rows;
}

/** Whether it is about the water of days, which need not flow all the time. */
function isByTheDay(flow: Told["flow"]): flow is "away" | "watering" {
  return flow === "away" || flow === "watering";
}
