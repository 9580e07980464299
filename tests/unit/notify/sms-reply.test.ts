import fc from "fast-check";
import { readReply } from "../../../notify/sms/reply.js";

describe("a reply by SMS", () => {
  it.each([
    // 47 CFR 64.1200(a)(10)
    ...["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"],
    ...[
      "STOPALL",
      "Stop All",
      "OPTOUT",
      "Alto",
      "PARAR",
      "basta",
      "Cancelar",
      "BAJA",
      "no más",
      "ARRÊT",
      "arreter",
    ],
    ...[
      "Stop.",
      " stop ",
      '"STOP"',
      "STOP!!!",
      "S T O P",
      "s.t.o.p",
      "ＳＴＯＰ",
      "stop\n",
      "Sto\u0301p",
      "stop 👍",
      "opt-out",
    ],
  ])("ends messages for sure: %j", (text) => {
    expect(readReply(text)).toEqual({ asks: "stop", sure: true });
  });

  it.each([
    ...[
      "alerts stop 90001",
      "please stop",
      "Stop please",
      "STOP texting me",
      "ok stop it now",
      "pls stop sending these",
      "1 stop",
      "stop leak alerts",
    ],
    ...[
      "no more texts",
      "No more!!",
      "Don't text me",
      "don’t ever... do not contact",
      "take me off your list",
      "Remove me",
    ],
    ...[
      "leave me alone",
      "wrong number",
      "Wrong person sorry",
      "I want to unsubscribe",
      "opt me out? opting out",
      "not interested",
    ],
    ...[
      "cancel these alerts",
      "no me manden más mensajes",
      "No me escriba",
      "número equivocado",
      "quiero darme de baja",
    ],
    ...["dejen de molestar", "Bórrenme de la lista", "mauvais numéro", "desabonnez moi", "🛑"],
    ...["stpo", "sotp", "stp", "sttop", "stob", "Unsubcribe", "unsuscribe", "cancl", "revok"],
  ])("ends messages, and people look at it: %j", (text) => {
    expect(readReply(text)).toEqual({ asks: "stop", sure: false });
  });

  it.each([
    ["START", { asks: "start" }],
    ["unstop", { asks: "start" }],
    // One letter from "alto", and its opposite.
    ["Alta", { asks: "start" }],
    ["YES", { asks: "confirm", start: true }],
    ["Y1", { asks: "confirm", start: false }],
    ["y 1.", { asks: "confirm", start: false }],
    ["Sí", { asks: "confirm", start: false }],
    ["JOIN 1001-22 7 90001", { asks: "join", account: "1001 22 7", zip: "90001" }],
    ["avisos 100122, 90001", { asks: "join", account: "100122", zip: "90001" }],
    ["HELP", { asks: "help" }],
    ["help?", { asks: "help" }],
    ["ayuda", { asks: "help" }],
    ["Home", { asks: "home" }],
    ["mi casa", { asks: "home" }],
    ["LEAK", { asks: "leak" }],
    ["Fuga", { asks: "leak" }],
    ["1", { asks: "answer", answer: 1, service: undefined }],
    [" 2. ", { asks: "answer", answer: 2, service: undefined }],
    ["3 4417", { asks: "answer", answer: 3, service: "4417" }],
  ])("reads %j", (text, reply) => {
    expect(readReply(text)).toEqual(reply);
  });

  it.each([
    ...[
      "",
      "   ",
      "👍",
      "4",
      "12",
      "1 441",
      "who is this?",
      "Thanks, the plumber comes today",
      "the leak has stopped",
    ],
    ...[
      "How do I stop the leak?",
      "no more leak, thanks",
      "can I stop this water somehow",
      "sent from my step",
      "12345678",
    ],
  ])("leaves to people: %j", (text) => {
    expect(readReply(text)).toEqual({ asks: "unknown" });
  });

  it("takes any of the words for what it is, however it is dressed", () => {
    const noise = fc.array(fc.constantFrom(" ", ".", "!", "…", "\n", "\t", "*", "👍", "-", "“", "”"), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(
          "stop",
          "quit",
          "end",
          "revoke",
          "cancel",
          "unsubscribe",
          "alto",
          "basta",
          "baja",
          "arrêt",
        ),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        noise,
        noise,
        (word, upper, before, after) => {
          const dressed = Array.from(word)
            .map((letter, i) => (upper[i] === true ? letter.toUpperCase() : letter))
            .join("");
          expect(readReply(before.join("") + dressed + after.join(""))).toEqual({ asks: "stop", sure: true });
        },
      ),
    );
  });

  it("never takes a stop within a sentence for anything else", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40 }),
        fc.string({ maxLength: 40 }),
        fc.constantFrom("unsubscribe", "wrong number", "remove me", "no me manden mas", "opt out"),
        (before, after, phrase) => {
          expect(readReply(`${before} ${phrase} ${after}`).asks).toBe("stop");
        },
      ),
    );
  });

  it("reads the longest of messages at once", () => {
    expect(readReply("no ".repeat(100_000)).asks).toBe("unknown");
  });
});
