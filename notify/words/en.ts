/**
 * All that residents read and hear, in English: ICU messages (https://unicode-org.github.io/icu/userguide/format_parse/messages/),
 * which the other languages translate. An apostrophe stands for itself. Dates, amounts and volumes come as words that are
 * already in the language; counts as numbers, with their plurals here.
 */
export const en = {
  /** The language's own name. */
  name: "English",

  /** Volumes: three digits, for more would claim a precision that meters do not have. */
  volume: {
    gal: "{n, plural, one {{n, number, ::@##} gallon} other {{n, number, ::@##} gallons}}",
    L: "{n, plural, one {{n, number, ::@##} liter} other {{n, number, ::@##} liters}}",
    m3: "{n, plural, one {{n, number, ::@##} cubic meter} other {{n, number, ::@##} cubic meters}}",
    ft3: "{n, plural, one {{n, number, ::@##} cubic foot} other {{n, number, ::@##} cubic feet}}",
  },
  hours: "{n, plural, one {# hour} other {# hours}}",
  days: "{n, plural, one {# day} other {# days}}",
  /** For texts, where each letter counts. */
  short: {
    volume: "{n, number, ::@##} {unit}",
    hours: "{n, number} h",
    days: "{n, plural, one {# day} other {# days}}",
  },

  /** Mails. `at`: the service; `from`, `to`, `since`: moments. */
  mail: {
    service:
      "{ending, select, none {your water service} other {your water service (account ending in {ending})}}",
    foot: {
      why: "You get this because you asked {utility} for water alerts at this address.",
      once: "Somebody, most likely you, asked {utility} for water alerts at this address. Without your confirmation nothing more is sent.",
      privacy: "Questions about your personal data: {address}",
      service:
        "You get this because you signed up with {utility} for water alerts. It comes whatever alerts you want.",
      /** `what`: one of `kinds`. */
      mailing: "You get this because you asked {utility} for {what} by e-mail.",
      stopMailing: "Stop this: {what}",
      stop: "Stop these e-mails",
      choices: "Change what you are told",
    },
    answer: {
      title: "Tell us, and we write less",
      home: "Tell us until when a pool fills, or nobody is home",
      one: "About this one",
    },
    fact: {
      running: "Running for",
      ran: "Ran for",
      usedSoFar: "Used so far",
      used: "Used in that time",
      lastReading: "Last reading",
      highest: "Highest rate",
      usualPeak: "Your usual busiest hour",
      usualDay: "Your usual day",
      flow: "Flow",
      about: "about {volume}",
      anHour: "about {volume} an hour",
      anHourAndDay: "about {hour} an hour, {day} a day",
    },
    cost: {
      label: "Cost",
      range: "{low} to {high}",
      soFar: "{amount} so far",
      aDay: "{amount} a day",
      about: "about {amounts} (at {price} per {volume})",
    },
    chart: {
      title: "Hour by hour",
      caption:
        "From {from} to {to}: {least} in the lowest hour, {most} in the highest. Dark: since it began.",
    },
    whatToDo: "What to do",
    leak: {
      heading: "Possible leak",
      overHeading: "A possible leak, now over",
      overNote: "It has stopped since. It may have been a leak, or water that somebody left running.",
      once: "We write once more when the readings show that the flow has stopped.",
      nonstop: {
        subject: "Possible leak: water is running nonstop",
        overSubject: "A possible leak ran and has stopped",
        runs: "Water has been running without a break at {at} since {since}.",
        ran: "Water ran without a break at {at} from {from} to {to}.",
        why: "Somewhere in the day a home without a leak uses no water for a while, so this may be a leak.",
        rate: "Flow when nothing else runs",
      },
      "off-and-on": {
        subject: "Possible leak: water runs again and again",
        overSubject: "A possible leak ran and has stopped",
        runs: "Water has been running again and again at {at} since {since}.",
        ran: "Water ran again and again at {at} from {from} to {to}.",
        why: "It also runs at hours when your meter usually stands still. A toilet that refills by itself does this, and so does a small leak.",
        rate: "Flow when nothing else runs",
      },
      "above-usual": {
        subject: "Possible leak: more water runs than usual",
        overSubject: "A possible leak ran and has stopped",
        runs: "More water than usual has been running all the time at {at} since {since}.",
        ran: "More water than usual ran all the time at {at} from {from} to {to}.",
        why: "Your meter seldom stands still, and now its lowest flow is higher than it was for weeks. This may be a leak.",
        rate: "Flow above your usual lowest",
      },
      burst: {
        subject: "Possible burst: a lot of water is running",
        overSubject: "A lot of water ran and has stopped",
        runs: "Much more water than ever before has been running at {at} since {since}.",
        ran: "Much more water than ever before ran at {at} from {from} to {to}.",
        why: "A pipe may have burst, or a hose or a valve may have been left open. Please look now.",
        rate: "Highest flow",
      },
      away: {
        subject: "Water is used while you are away",
        overSubject: "Water was used while you were away",
        runs: "Water has been used at {at} since {since}.",
        ran: "Water was used while nobody was home at {at} from {from} to {to}.",
        why: "You told us that nobody is home, so this may be a leak.",
        rate: "Most in an hour",
      },
      watering: {
        subject: "Your irrigation runs when no watering is due",
        overSubject: "Your irrigation ran when no watering was due",
        runs: "Water has been running through the irrigation meter at {at} since {since}.",
        ran: "Water ran through the irrigation meter at {at} from {from} to {to}.",
        why: "It is out of the season, or not one of the days for watering. A valve may be stuck open, or the controller may have lost its program.",
        rate: "Most in an hour",
      },
      steps: {
        leak: [
          "Check that every faucet, hose and sprinkler is off, also those that run on a timer.",
          "Check the toilets: put a few drops of food coloring into each tank and wait 10 minutes without flushing. Color in the bowl means the flapper leaks.",
          "Close the main shut-off valve of the building for a few minutes. If the meter goes on turning, the leak is between the meter and the valve; if it stops, it is inside.",
          "If you can't find it, call a plumber. If the water runs on purpose, for a pool or new plants, there is nothing to do.",
        ],
        away: [
          "If somebody is there after all, or the garden is watered, there is nothing to do.",
          "If not, ask whoever has a key to look for water that runs: toilets, faucets, hoses, the water heater.",
          "If nobody finds it, have the main shut-off valve of the building closed until you are back.",
        ],
        watering: [
          "Look at the controller: its date and time, and the days and the season of its program.",
          "Walk along the lines while the controller is off. Where water still comes out, a valve does not close, or a pipe leaks.",
          "If you find nothing, close the valve of the irrigation and see whether the meter stands still.",
        ],
      },
      /** Where to look once it is over. */
      lookAt: {
        leak: "If you know what it was, there is nothing to do. If not, look at the toilets and the irrigation first: a leak that comes and goes is most often there.",
        watering:
          "If you know what it was, there is nothing to do. If not, look at the controller of the irrigation, and whether each valve closes.",
      },
    },
    reminder: {
      subject: "Water is still running: possible leak",
      heading: "Water is still running",
      text: "We wrote to you about a possible leak at {at}. The readings show that water still runs, since {since}.",
      todo: "If help is on its way, or the water runs on purpose, there is nothing to do. If not, check the toilets, close the main shut-off valve for a few minutes and see whether the meter stops; if you can't find the cause, call a plumber.",
      again: "We write again when the readings show that the flow has stopped.",
    },
    stopped: {
      subject: "The flow of water has stopped",
      heading: "The flow has stopped",
      text: "The flow of water at {at} that we wrote about has stopped. It ran from {from} to {to}.",
      thanks: "If you fixed or closed something, thank you: there is nothing more to do.",
    },
    correction: {
      subject:
        "{about, select, leak {Correction: there was no leak after all} freeze {Correction: water does run} other {Correction: there was no high water use}}",
      heading: "We were wrong",
      text: "We wrote to you about {about, select, leak {a possible leak} freeze {pipes that may freeze} other {unusually high water use}} at {at} from {since}. Corrected readings show that it never was. There is nothing to do; we are sorry for the trouble.",
    },
    highUsage: {
      subject: "Unusually high water use",
      text: "Between {from} and {to}, far more water than usual ran at {at}.",
      stillRuns: "At the last reading it was still running.",
      steps: [
        "If you know why, such as a pool, a hose or irrigation, there is nothing to do.",
        "If not, look for water that runs now: hoses, sprinklers, toilets, a wet spot in the yard.",
        "If you find water where it should not be, close the main shut-off valve of the building and call a plumber.",
      ],
    },
    lastYear: {
      subject:
        "{state, select, over {You have used more water than in this month of last year} other {Your water bill may be high this month}}",
      heading: "A high bill ahead",
      text: "By {to}, {used} were used at {at} this month. In all of the same month last year it was {of}. At this pace the month will come to about {coming}.",
      of: "The same month last year",
      known: "If you know why, such as guests, a pool or a new lawn, there is nothing to do.",
      look: "If not, look at what runs long: irrigation and its timer, a hose, a water softener.",
      leak: "Look at the toilets too: put a few drops of food coloring into each tank and wait 10 minutes without flushing. Color in the bowl means a leak.",
    },
    budget: {
      subject:
        "{state, select, over {Your water budget for the month is used up} other {You are on the way past your water budget}}",
      heading: "Your water budget",
      text: "By {to}, {used} were used at {at}: {state, select, over {more than} other {most of}} the {of} that you set for this month. At this pace the month will come to about {coming}.",
      of: "Budget for the month",
      pace: "At this pace, in the month",
      noMore: "We write no more of it this month.",
      change: "Change or end the budget",
    },
    freeze: {
      subject: "Pipes may freeze: it is cold, and no water runs",
      heading: "Pipes may freeze",
      text: "It has been {below} or colder outside, and no water has run at {at} for {dry}. Where nobody is home and nothing runs, pipes freeze first.",
      coldSince: "Cold since",
      dryFor: "No water for",
      there:
        "If somebody is home, open a faucet: water should come as usual. If only a trickle comes, a pipe may be frozen. Leave the faucet open and warm the pipe slowly, never with a flame.",
      away: "If nobody is home, ask whoever has a key to look: the heating should be on, at {kept} or more, and the doors of the cabinets under sinks open.",
      drip: "While it stays this cold, let the faucet that is farthest from the main valve drip.",
      drained: "If the water is shut off and the pipes are drained, there is nothing to do.",
      once: "We write of this frost once.",
    },
    bill: "See your bill",
    /** Of a notice in the utility's own words. */
    notice: { button: "Read all of it" },
    textsEnded: {
      subject: "Text alerts have ended",
      heading: "Our texts do not arrive",
      text: "A phone number that got text alerts about {at} can't be reached any more, so we have stopped them.",
      mails:
        "You still get e-mails, but only about what you ticked for them. Please look whether that is all you want to hear of: a leak that is told by text alone would go unnoticed.",
      button: "Look at my alerts",
      again: "To get texts again, sign up with a mobile number that can get them.",
    },
    digest: {
      subject: "Water alerts for your homes: {n, number}",
      heading: "Water alerts for your homes",
      intro:
        "Since yesterday there is news of {n, number} of your meters. A possible burst is told at once; all else comes in one e-mail a day, because you get alerts for many homes.",
      also: "There is more to say about your water:",
    },
    /** `what`: a list of `kinds`. */
    kinds: {
      leak: "possible leaks",
      burst: "a possible burst at any hour",
      "high-usage": "unusually high water use",
      freeze: "pipes that may freeze",
      tips: "tips to save water",
      newsletter: "news of the utility",
      survey: "surveys",
    },
    confirmation: {
      subject: "Please confirm your water alerts",
      heading: "Please confirm your request",
      text: "You asked {utility} to e-mail you about {what}.",
      button: "Confirm my alerts",
      link: "The link works for 24 hours. If it was not you, do nothing: without a confirmation no alert is sent.",
    },
    renewal: {
      subject: "Do you still want water alerts?",
      heading: "Shall we go on telling you?",
      text: "Some time ago you asked {utility} to e-mail you about {what}. We ask now and then, so that nobody is written to who has moved out.",
      button: "Yes, keep my alerts",
      end: "Without an answer the alerts end on {last}: a leak may then go unnoticed. If you no longer live there, do nothing.",
    },
  },

  /** Answers to an alert, as mails and pages offer them. */
  answers: {
    1: "The water runs on purpose",
    2: "Somebody is looking into it",
    3: "Remind me in a week",
    4: "This is normal here: write only if more runs",
  },

  /** Text messages: one segment of GSM 7-bit letters each, with the longest of their values. */
  sms: {
    service: "{ending, select, none {your service} other {your service {ending}}}",
    kinds: { leak: "leak", burst: "burst", "high-usage": "high use", freeze: "frost" },
    confirmation:
      "{name}: You want {what} alerts? Reply Y1 to confirm. {perMonth} msg/mo at most. Msg&data rates may apply. HELP. STOP to end.",
    renewal:
      "{name}: Do you still want {what} alerts? Reply Y1 within 30 days, or they end. HELP. STOP to end now.",
    alert: "{name}: {sentence} STOP to end.",
    alertToAnswer: "{name}: {sentence} Reply 1 if intended, 2 looking, 3 later. STOP to end.",
    /** `rate`: a volume an hour. */
    rate: "{volume}/h",
    about: {
      leak: {
        nonstop: "Possible leak at {at}: water ran nonstop for {length}, {rate}.",
        "off-and-on": "Possible leak at {at}: it runs on and off for {length}, {rate}.",
        "above-usual": "Possible leak at {at}: {rate} more than usual for {length}.",
        burst: "Possible burst at {at}: {rate} is running. Please look now.",
        away: "Water is used at {at} while you are away: {volume} in {length}.",
        watering: "Irrigation runs at {at} when no watering is due: {volume} so far.",
      },
      leakOver: "Possible leak at {at}, now over: {volume} of water in {length}.",
      reminder: "Water still runs at {at}, for {length} now, {rate}.",
      highUsage: "Unusually high use at {at}: {volume} in {length}.",
      budget: "{volume} used at {at} this month: your budget of {of} will not do.",
      lastYear: "High bill ahead at {at}: {volume} used this month, {of} in all of it last year.",
      freeze: "Pipes may freeze at {at}: it is cold, and no water has run for {dry}.",
      stopped: "The flow at {at} has stopped. It ran for {length}.",
      correction: "Please ignore our last alert about {at}: the readings were wrong. We are sorry.",
    },
    replies: {
      stopped: "{name}: You will get no more texts. Reply LEAK to get leak alerts only, or START to resume.",
      started: "{name}: Your water alerts are on again. HELP for help, STOP to end.",
      "leak-only": "{name}: You now get leak alerts only. HELP for help, STOP to end.",
      "nothing-set-up": "{name}: No alerts are set up for this number. To sign up: {help}",
      help: "{name} water alerts. Help: {help}. {perMonth} msg/mo at most. Msg&data rates may apply. STOP to end.",
      home: "{name}: Days away, pool, budget: {homeUrl}",
      confirmed:
        "{name}: Your water alerts are on. {perMonth} msg/mo at most. Msg&data rates may apply. HELP for help, STOP to end.",
      "on-purpose":
        "{name}: Thank you. We write of it again only if the flow doubles or goes on for 2 weeks. HOME: tell us of a pool or days away.",
      looking: "{name}: Thank you. We write again when the flow has stopped.",
      remind: "{name}: We remind you in 7 days if the water still runs.",
      which:
        "{name}: You have alerts for several services. Reply 1, 2 or 3 and the last four digits of the one you mean, such as 1 4417.",
      "not-understood": "{name}: Thank you, somebody will read this. HELP for help, STOP to end.",
    },
  },

  /** Calls. `ending`: digits with blanks between, which are said one by one. */
  voice: {
    service:
      "{ending, select, none {your water service} other {your water service with the account ending in {ending}}}",
    hello: "Hello. This is {utility}, with a computer voice.",
    confirmation:
      "You asked us to call you about {what}. To confirm, press 1. If it was not you, hang up, or press 9 and we will not call again.",
    about: {
      leak: {
        nonstop:
          "There may be a leak at {at}. Water has run without a break for {length}, about {rate} an hour.",
        "off-and-on":
          "There may be a leak at {at}. Water has run on and off for {length}, about {rate} an hour.",
        "above-usual": "There may be a leak at {at}. For {length}, {rate} more than usual has run each hour.",
        burst: "There may be a burst at {at}. About {rate} an hour is running. Please look now.",
        away: "Water is used at {at} while you are away: {volume} in {length}.",
        watering: "The irrigation at {at} runs when no watering is due: {volume} so far.",
      },
      leakOver: "There may have been a leak at {at}. It is over now: {volume} of water in {length}.",
      reminder: "Water is still running at {at}, for {length} now, about {rate} an hour.",
      highUsage: "Water use is unusually high at {at}: {volume} in {length}.",
      budget: "{volume} was used at {at} this month. Your budget of {of} will not do.",
      lastYear:
        "A high bill may be ahead at {at}: {volume} was used this month. In all of it last year it was {of}.",
      freeze: "Pipes may freeze at {at}. It is cold, and no water has run for {dry}.",
      stopped: "The flow at {at} has stopped. It ran for {length}.",
      correction: "Please ignore our last call about {at}. The readings were wrong, and we are sorry.",
    },
    keys: "Press 1 if the water runs on purpose, 2 if somebody looks into it, 3 to be called again in a week, or 9 to end these calls.",
    fewKeys: "Press 1 if the water runs on purpose, 2 if somebody looks into it, or 9 to end these calls.",
    end: "Press 9 to end these calls.",
    replies: {
      confirmed: "Thank you. We call you when it matters. Press 9 in any call to end them. Goodbye.",
      stopped: "We will not call this number again. Goodbye.",
      "on-purpose": "Thank you. We call again only if the flow doubles or goes on for two weeks. Goodbye.",
      looking: "Thank you. We call again when the flow has stopped. Goodbye.",
      remind: "We call again in a week if the water still runs. Goodbye.",
      "not-understood": "This key does nothing here. Goodbye.",
    },
  },

  /** What residents agree to. With any change, `CONSENT_VERSION` goes up: a consent is kept with the words that were shown. */
  consent: {
    email:
      "I agree that {utility} may e-mail me the alerts ticked above about the water used at this service by day, and of a possible burst at any hour if I ticked that. I can end this at any time with the link in every e-mail.",
    sms: "I agree that {utility} may text me the alerts ticked above about the water used at this service, at the number that I give: by day, and of a possible burst at any hour if I ticked that; up to {perMonth} a month, and more only for a burst. Message and data rates may apply. I can end this at any time by replying STOP, and get help by replying HELP. My number is not passed on for marketing.",
    voice:
      "I agree that {utility} may call me with a computer voice about what I ticked above, about the water used at this service, at the number that I give: by day, and of a possible burst at any hour if I ticked that; up to {perMonth} calls a month, and more only for a burst. I can end this at any time by pressing 9 during a call. My number is not passed on for marketing.",
    /** Behind that of mails, where there is more than alerts. */
    mailings:
      "{utility} may also e-mail me what else I ticked; each of those e-mails has a link that ends it alone.",
    /** Behind each of them. */
    all: "Alerts rest on meter readings, which can be late or missing: they do not replace my own care. My water service does not depend on this.",
  },

  /** Pages. */
  page: {
    subscribe: "Water alerts from {utility}",
    intro: "Get an e-mail when your meter shows a possible leak or unusually high use. No account is needed.",
    introSms:
      "Get an e-mail or a text message when your meter shows a possible leak or unusually high use. Fill in the ways that you want. No account is needed.",
    account: "Account number",
    accountHint: "As on your bill.",
    zip: "ZIP code of the service address, or the code from our letter",
    email: "E-mail address",
    phone: "Mobile phone number",
    phoneHint: "For text messages. Leave it empty if you want none.",
    call: "Phone number for calls",
    callHint: "A landline will do. A computer voice calls. Leave it empty if you want no calls.",
    askedTextCall: "We call the other number once, by day: press 1 then to confirm.",
    by: { email: "By e-mail", sms: "By text message", voice: "By a call" },
    kinds: "Tell me about",
    kind: {
      leak: "possible leaks (water that never stops)",
      burst: "a possible burst at any hour, at night too",
      "high-usage": "unusually high water use",
      freeze: "pipes that may freeze (it is cold, and no water runs)",
      tips: "tips to save water",
      newsletter: "news of the utility",
      survey: "surveys",
    },
    send: "Ask me to confirm",
    wrong: "Please check these fields:",
    field: {
      account: "account number",
      zip: "ZIP code or code from our letter",
      email: "e-mail address",
      phone: "mobile phone number (text messages do not reach a landline)",
      call: "phone number for calls",
      kinds: "tick at least one box for each address that you give",
    },
    tooMany: "Too many requests. Please try again in an hour.",
    asked: "Please confirm",
    askedText:
      "If the account number and ZIP code match our records, a message with a link is on its way. Open it within 24 hours to confirm. If nothing comes, check the entries and your spam folder.",
    /** `from`: the number that texts come from. */
    askedTextSms:
      "If the account number and ZIP code match our records, a message is on its way to each address that you gave. Confirm it within 24 hours: by the link in the e-mail, and by a reply to the text message. If you once replied STOP to our texts, first text START{from, select, none {} other { to {from}}}. If nothing comes, check the entries and your spam folder.",
    confirm: "Confirm your alerts",
    confirmText: "{utility} will e-mail you about: {kinds}.",
    confirmButton: "Yes, send me alerts",
    confirmed: "You are signed up",
    confirmedText: "From now on you get an e-mail when it matters. Every one has a link to stop them.",
    used: "This link was used already. If you confirmed, your alerts are on.",
    expired: "This link no longer works. Please sign up again.",
    choices: "Your water alerts from {utility}",
    /** `address`: with most of it left out. */
    choicesText: "These alerts go to {address}. Tick what you want to be told about.",
    service: "{ending, select, none {Water service} other {Water service (account ending in {ending})}}",
    language: "Language",
    units: "Units",
    unit: { gal: "gallons", ft3: "cubic feet", L: "liters", m3: "cubic meters" },
    hours: "When alerts may come",
    hoursText:
      "Your utility writes between {from} and {until}. Choose a part of that, or leave both empty. An alert of the night waits until then, save a burst if you ticked it for any hour.",
    hoursFrom: "Not before",
    hoursUntil: "Not after",
    timeZone: "Where you live",
    timeZoneSame: "where the water service is",
    wrongHours:
      "Please check the hours: they need an hour at least, between {from} and {until}. Nothing was saved.",
    save: "Save",
    saved: "Saved. This holds from now on.",
    erase: "Delete my data",
    eraseText:
      "We delete {address} and what you wrote to us, now and for good. You will get no more alerts; a leak may then go unnoticed.",
    eraseKept:
      "What stays: the proof of what you agreed to, without your address, and that you may not be written to, if you asked for that. Your utility keeps its own records of your account.",
    eraseButton: "Delete for good",
    erased: "Your data is deleted",
    erasedText: "You will hear no more from us. Number of this deletion, for your records: {receipt}",
    eraseHeld: "We have your request",
    eraseHeldText:
      "Something obliges your utility to keep your data for now. We delete it by itself as soon as that ends, and your utility must tell you the reason if you ask. Number of your request: {receipt}. Latest day without such a reason: {due}",
    nothingToChoose: "No alerts are set up for this address now.",
    signUp: "Sign up for alerts",
    answerTitle: "About this alert",
    answerText: "What should we know?",
    answerButton: "Send",
    answered: "Thank you",
    answeredText: {
      1: "We write no more about this water for two weeks, unless the flow doubles.",
      2: "We write no more about this water for three days, unless the flow doubles.",
      3: "If the water still runs in a week, we write again.",
    },
    answeredNormal:
      "From now on, up to {flow} an hour is normal for this meter, and we write only if more runs. You can take this back on the page about your home.",
    home: "About your home",
    homeText:
      "What you say here makes alerts fit your home. It holds for everybody who gets alerts for this service. It is used for nothing else, and is deleted with your data.",
    away: "Nobody is home",
    awayText:
      "On whole days in between we write if more than {allowance} of water is used in a day. Leave both days empty if somebody is home.",
    leave: "The day you leave",
    back: "The day you are back",
    onPurpose: "Water runs on purpose",
    onPurposeText:
      "A pool fills, a new lawn is watered: until the end of this day we write of no water at all, not even of a burst. A week at most.",
    onPurposeLast: "The last day",
    normal: "Normal here",
    normalFlow: "{flow} an hour is no longer normal: write if it runs",
    normalText:
      "If some water always runs here, such as for a cooler, say how much: we write of a leak only if more runs. {most} an hour at most. Leave it empty to change nothing.",
    normalLabel: "Normal in an hour, {unit}",
    budget: "A budget for the month",
    budgetText:
      "We write once in a month that would end above it, when most of it is used. Leave it empty for none. What runs on purpose is not counted.",
    budgetLabel: "Most in a month, {unit}",
    homeWrong: {
      budget: "the budget for the month (a number above zero)",
      normal: "what is normal in an hour (a number above zero, and no more than stands there)",
      leave: "the day you leave",
      back: "the day you are back (at least two days after you leave, and half a year ahead at most)",
      onPurpose: "the last day on which water runs on purpose (within a week from now)",
    },
    answerOver: "The readings show that this water does not run any more. There is nothing left to say.",
    answerOld: "This alert is older than two weeks. A newer one can be answered.",
    /** `what`: one of `mail.kinds`. */
    leaveMailing: "Stop this: {what}",
    leaveMailingText: "{utility} sends you no more of this. Your alerts go on.",
    mailingLeft: "Stopped",
    mailingLeftText: "You get no more of this. Your alerts go on.",
    unsubscribe: "Stop water alerts",
    unsubscribeText: "{utility} will send no more alert e-mails to this address, for leaks included.",
    unsubscribeButton: "Stop all alerts",
    unsubscribed: "Alerts are off",
    unsubscribedText: "No more alert e-mails are sent to this address. You can sign up again at any time.",
    notFound: "Page not found",
    notFoundText: "The address is wrong or incomplete. Please copy the whole link from the e-mail.",
    notOpen: "Sign-up has not opened yet.",
    privacy: "Questions about your personal data: {address}",
  },
} as const;
