import type { Answer, ConsentKind, HomeField, Language } from "../notify/index.js";
import type { UtilityConfig } from "../schemas/config.js";

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", es: "Español" };

/** What the pages say, by language. */
export const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    subscribe: (name) => `Water alerts from ${name}`,
    intro: "Get an e-mail when your meter shows a possible leak or unusually high use. No account is needed.",
    introSms:
      "Get an e-mail or a text message when your meter shows a possible leak or unusually high use. Give one address or both. No account is needed.",
    account: "Account number",
    accountHint: "As on your bill.",
    zip: "ZIP code of the service address, or the code from our letter",
    email: "E-mail address",
    phone: "Mobile phone number",
    phoneHint: "For text messages. Leave it empty if you want none.",
    call: "Phone number for calls",
    callHint: "A landline will do. A computer voice calls. Leave it empty if you want no calls.",
    askedTextCall: "We call the other number once, by day: press 1 then to confirm.",
    kinds: "Tell me about",
    kind: {
      leak: "possible leaks (water that never stops)",
      burst: "a possible burst at any hour, at night too",
      "high-usage": "unusually high water use",
    },
    send: "Ask me to confirm",
    wrong: "Please check these fields:",
    field: {
      account: "account number",
      zip: "ZIP code or code from our letter",
      email: "e-mail address",
      phone: "mobile phone number (text messages do not reach a landline)",
      call: "phone number for calls",
      kinds: "tick at least one box",
    },
    tooMany: "Too many requests. Please try again in an hour.",
    asked: "Please confirm",
    askedText:
      "If the account number and ZIP code match our records, a message with a link is on its way. Open it within 24 hours to confirm. If nothing comes, check the entries and your spam folder.",
    askedTextSms: (from) =>
      `If the account number and ZIP code match our records, a message is on its way to each address that you gave. Confirm it within 24 hours: by the link in the e-mail, and by a reply to the text message. If you once replied STOP to our texts, first text START${/^\+/.test(from) ? ` to ${from}` : ""}. If nothing comes, check the entries and your spam folder.`,
    confirm: "Confirm your alerts",
    confirmText: (name, kinds) => `${name} will e-mail you about: ${kinds}.`,
    confirmButton: "Yes, send me alerts",
    confirmed: "You are signed up",
    confirmedText: "From now on you get an e-mail when it matters. Every one has a link to stop them.",
    used: "This link was used already. If you confirmed, your alerts are on.",
    expired: "This link no longer works. Please sign up again.",
    choices: (name) => `Your water alerts from ${name}`,
    choicesText: (address) => `These alerts go to ${address}. Tick what you want to be told about.`,
    service: (ending) =>
      ending === undefined ? "Water service" : `Water service (account ending in ${ending})`,
    language: "Language",
    units: "Units",
    unit: { gal: "gallons", ft3: "cubic feet", L: "liters", m3: "cubic meters" },
    hours: "When alerts may come",
    hoursText: (from, until) =>
      `Your utility writes between ${from} and ${until}. Choose a part of that, or leave both empty. An alert of the night waits until then, save a burst if you ticked it for any hour.`,
    hoursFrom: "Not before",
    hoursUntil: "Not after",
    timeZone: "Where you live",
    timeZoneSame: "where the water service is",
    wrongHours: (from, until) =>
      `Please check the hours: they need an hour at least, between ${from} and ${until}. Nothing was saved.`,
    save: "Save",
    saved: "Saved. This holds from now on.",
    erase: "Delete my data",
    eraseText: (address) =>
      `We delete ${address} and what you wrote to us, now and for good. You will get no more alerts; a leak may then go unnoticed.`,
    eraseKept:
      "What stays: the proof of what you agreed to, without your address, and that you may not be written to, if you asked for that. Your utility keeps its own records of your account.",
    eraseButton: "Delete for good",
    erased: "Your data is deleted",
    erasedText: (receipt) =>
      `You will hear no more from us. Number of this deletion, for your records: ${receipt}`,
    eraseHeld: "We have your request",
    eraseHeldText: (receipt, due) =>
      `Something obliges your utility to keep your data for now. We delete it by itself as soon as that ends, and your utility must tell you the reason if you ask. Number of your request: ${receipt}. Latest day without such a reason: ${due}`,
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
    answeredNormal: (flow) =>
      `From now on, up to ${flow} an hour is normal for this meter, and we write only if more runs. You can take this back on the page about your home.`,
    home: "About your home",
    homeText:
      "What you say here makes alerts fit your home. It holds for everybody who gets alerts for this service. It is used for nothing else, and is deleted with your data.",
    away: "Nobody is home",
    awayText: (allowance) =>
      `On whole days in between we write if more than ${allowance} of water is used in a day. Leave both days empty if somebody is home.`,
    leave: "The day you leave",
    back: "The day you are back",
    onPurpose: "Water runs on purpose",
    onPurposeText:
      "A pool fills, a new lawn is watered: until the end of this day we write of no water at all, not even of a burst. A week at most.",
    onPurposeLast: "The last day",
    normal: "Normal here",
    normalFlow: (flow) => `${flow} an hour is no longer normal: write if it runs`,
    normalText: (most) =>
      `If some water always runs here, such as for a cooler, say how much: we write of a leak only if more runs. ${most} an hour at most. Leave it empty to change nothing.`,
    normalLabel: (unit) => `Normal in an hour, ${unit}`,
    budget: "A budget for the month",
    budgetText:
      "We write once in a month that would end above it, when most of it is used. Leave it empty for none. What runs on purpose is not counted.",
    budgetLabel: (unit) => `Most in a month, ${unit}`,
    homeWrong: {
      budget: "the budget for the month (a number above zero)",
      normal: "what is normal in an hour (a number above zero, and no more than stands there)",
      leave: "the day you leave",
      back: "the day you are back (at least two days after you leave, and half a year ahead at most)",
      onPurpose: "the last day on which water runs on purpose (within a week from now)",
    },
    answerOver: "The readings show that this water does not run any more. There is nothing left to say.",
    answerOld: "This alert is older than two weeks. A newer one can be answered.",
    unsubscribe: "Stop water alerts",
    unsubscribeText: (name) => `${name} will send no more alert e-mails to this address, for leaks included.`,
    unsubscribeButton: "Stop all alerts",
    unsubscribed: "Alerts are off",
    unsubscribedText: "No more alert e-mails are sent to this address. You can sign up again at any time.",
    notFound: "Page not found",
    notFoundText: "The address is wrong or incomplete. Please copy the whole link from the e-mail.",
    notOpen: "Sign-up has not opened yet.",
    privacy: (address) => `Questions about your personal data: ${address}`,
    otherLanguage: "Español",
  },
  es: {
    subscribe: (name) => `Avisos sobre el agua de ${name}`,
    intro:
      "Reciba un correo cuando su medidor muestre una posible fuga o un consumo inusualmente alto. No hace falta crear una cuenta.",
    introSms:
      "Reciba un correo o un mensaje de texto cuando su medidor muestre una posible fuga o un consumo inusualmente alto. Dé una dirección o ambas. No hace falta crear una cuenta.",
    account: "Número de cuenta",
    accountHint: "Como aparece en su factura.",
    zip: "Código postal de la dirección del servicio, o el código de nuestra carta",
    email: "Correo electrónico",
    phone: "Teléfono celular",
    phoneHint: "Para mensajes de texto. Déjelo vacío si no los quiere.",
    call: "Teléfono para llamadas",
    callHint: "Puede ser un teléfono fijo. Llama una voz de computadora. Déjelo vacío si no quiere llamadas.",
    askedTextCall: "Al otro número llamamos una vez, de día: pulse 1 entonces para confirmar.",
    kinds: "Avíseme sobre",
    kind: {
      leak: "posibles fugas (agua que no deja de correr)",
      burst: "una posible rotura a cualquier hora, también de noche",
      "high-usage": "consumo de agua inusualmente alto",
    },
    send: "Pídanme que confirme",
    wrong: "Revise estos campos:",
    field: {
      account: "número de cuenta",
      zip: "código postal o código de nuestra carta",
      email: "correo electrónico",
      phone: "teléfono celular (a un teléfono fijo no llegan mensajes de texto)",
      call: "teléfono para llamadas",
      kinds: "marque al menos una casilla",
    },
    tooMany: "Demasiadas solicitudes. Intente de nuevo en una hora.",
    asked: "Confirme su solicitud",
    askedText:
      "Si el número de cuenta y el código postal coinciden con nuestros registros, le llegará un mensaje con un enlace. Ábralo antes de 24 horas para confirmar. Si no llega nada, revise los datos y la carpeta de correo no deseado.",
    askedTextSms: (from) =>
      `Si el número de cuenta y el código postal coinciden con nuestros registros, le llegará un mensaje a cada dirección que dio. Confírmelo antes de 24 horas: con el enlace del correo, y respondiendo al mensaje de texto. Si alguna vez respondió STOP a nuestros mensajes, antes envíe START${/^\+/.test(from) ? ` al ${from}` : ""}. Si no llega nada, revise los datos y la carpeta de correo no deseado.`,
    confirm: "Confirme sus avisos",
    confirmText: (name, kinds) => `${name} le avisará por correo sobre: ${kinds}.`,
    confirmButton: "Sí, envíenme avisos",
    confirmed: "Su suscripción está activa",
    confirmedText:
      "Desde ahora recibirá un correo cuando haga falta. Cada uno trae un enlace para dejar de recibirlos.",
    used: "Este enlace ya se usó. Si usted confirmó, sus avisos están activos.",
    expired: "Este enlace ya no funciona. Suscríbase de nuevo.",
    choices: (name) => `Sus avisos sobre el agua de ${name}`,
    choicesText: (address) => `Estos avisos llegan a ${address}. Marque lo que quiere saber.`,
    service: (ending) =>
      ending === undefined ? "Servicio de agua" : `Servicio de agua (cuenta terminada en ${ending})`,
    language: "Idioma",
    units: "Unidades",
    unit: { gal: "galones", ft3: "pies cúbicos", L: "litros", m3: "metros cúbicos" },
    hours: "Cuándo pueden llegar los avisos",
    hoursText: (from, until) =>
      `Su compañía escribe entre las ${from} y las ${until}. Elija una parte de ese tiempo, o deje ambas vacías. Un aviso de la noche espera hasta entonces, salvo una rotura si la marcó para cualquier hora.`,
    hoursFrom: "No antes de las",
    hoursUntil: "No después de las",
    timeZone: "Dónde vive usted",
    timeZoneSame: "donde está el servicio de agua",
    wrongHours: (from, until) =>
      `Revise las horas: hace falta al menos una hora, entre las ${from} y las ${until}. No se guardó nada.`,
    save: "Guardar",
    saved: "Guardado. Vale desde ahora.",
    erase: "Borrar mis datos",
    eraseText: (address) =>
      `Borramos ${address} y lo que usted nos escribió, ahora y para siempre. No recibirá más avisos; una fuga podría pasar inadvertida.`,
    eraseKept:
      "Lo que queda: la prueba de lo que usted aceptó, sin su dirección, y que no se le puede escribir, si lo pidió. Su compañía de agua conserva sus propios registros de su cuenta.",
    eraseButton: "Borrar para siempre",
    erased: "Sus datos están borrados",
    erasedText: (receipt) =>
      `No volverá a saber de nosotros. Número de este borrado, para sus registros: ${receipt}`,
    eraseHeld: "Tenemos su solicitud",
    eraseHeldText: (receipt, due) =>
      `Algo obliga a su compañía de agua a conservar sus datos por ahora. Los borramos sin más en cuanto eso termine, y su compañía debe decirle el motivo si lo pregunta. Número de su solicitud: ${receipt}. Último día si no hay tal motivo: ${due}`,
    nothingToChoose: "Ahora no hay avisos activos para esta dirección.",
    signUp: "Suscribirse a los avisos",
    answerTitle: "Sobre este aviso",
    answerText: "¿Qué debemos saber?",
    answerButton: "Enviar",
    answered: "Gracias",
    answeredText: {
      1: "No le escribiremos más sobre esta agua durante dos semanas, salvo que el flujo se duplique.",
      2: "No le escribiremos más sobre esta agua durante tres días, salvo que el flujo se duplique.",
      3: "Si el agua sigue corriendo en una semana, le escribiremos de nuevo.",
    },
    answeredNormal: (flow) =>
      `Desde ahora, hasta ${flow} por hora es normal en este medidor, y escribimos solo si corre más. Puede deshacerlo en la página sobre su casa.`,
    home: "Sobre su casa",
    homeText:
      "Lo que diga aquí ajusta los avisos a su casa. Vale para todos los que reciben avisos de este servicio. No se usa para nada más, y se borra con sus datos.",
    away: "No hay nadie en casa",
    awayText: (allowance) =>
      `En los días enteros de en medio le escribimos si se usan más de ${allowance} de agua en un día. Deje ambos días vacíos si hay alguien en casa.`,
    leave: "El día en que se van",
    back: "El día en que vuelven",
    onPurpose: "El agua corre a propósito",
    onPurposeText:
      "Se llena una piscina, se riega un césped nuevo: hasta el final de este día no escribimos de ninguna agua, ni siquiera de una rotura. Una semana como máximo.",
    onPurposeLast: "El último día",
    normal: "Normal aquí",
    normalFlow: (flow) => `${flow} por hora ya no es normal: escriban si corre`,
    normalText: (most) =>
      `Si aquí siempre corre algo de agua, por ejemplo para un enfriador, diga cuánta: le escribimos de una fuga solo si corre más. ${most} por hora como máximo. Déjelo vacío para no cambiar nada.`,
    normalLabel: (unit) => `Normal en una hora, ${unit}`,
    budget: "Un límite para el mes",
    budgetText:
      "Le escribimos una vez en un mes que terminaría por encima, cuando ya se usó la mayor parte. Déjelo vacío si no quiere ninguno. Lo que corre a propósito no se cuenta.",
    budgetLabel: (unit) => `Lo más en un mes, ${unit}`,
    homeWrong: {
      budget: "el límite para el mes (un número mayor que cero)",
      normal: "lo que es normal en una hora (un número mayor que cero, y no más de lo que dice ahí)",
      leave: "el día en que se van",
      back: "el día en que vuelven (al menos dos días después de irse, y medio año como máximo)",
      onPurpose: "el último día en que el agua corre a propósito (dentro de una semana)",
    },
    answerOver: "Las lecturas muestran que esta agua ya no corre. No hace falta decir nada más.",
    answerOld: "Este aviso tiene más de dos semanas. Puede responder a uno más reciente.",
    unsubscribe: "Dejar de recibir avisos",
    unsubscribeText: (name) =>
      `${name} no enviará más avisos por correo a esta dirección, tampoco sobre fugas.`,
    unsubscribeButton: "Dejar de recibir todos los avisos",
    unsubscribed: "Los avisos están desactivados",
    unsubscribedText:
      "No se enviarán más avisos por correo a esta dirección. Puede suscribirse de nuevo cuando quiera.",
    notFound: "Página no encontrada",
    notFoundText: "La dirección es incorrecta o está incompleta. Copie el enlace completo del correo.",
    notOpen: "La suscripción todavía no está abierta.",
    privacy: (address) => `Preguntas sobre sus datos personales: ${address}`,
    otherLanguage: "English",
  },
};

export interface Words {
  readonly subscribe: (name: string) => string;
  readonly intro: string;
  readonly introSms: string;
  readonly account: string;
  readonly accountHint: string;
  readonly zip: string;
  readonly email: string;
  readonly phone: string;
  readonly phoneHint: string;
  readonly call: string;
  readonly callHint: string;
  readonly askedTextCall: string;
  readonly kinds: string;
  readonly kind: Readonly<Record<ConsentKind, string>>;
  readonly send: string;
  readonly wrong: string;
  readonly field: Readonly<Record<string, string>>;
  readonly tooMany: string;
  readonly asked: string;
  readonly askedText: string;
  /** @param from number that texts come from, or something that is none */
  readonly askedTextSms: (from: string) => string;
  readonly confirm: string;
  readonly confirmText: (name: string, kinds: string) => string;
  readonly confirmButton: string;
  readonly confirmed: string;
  readonly confirmedText: string;
  readonly used: string;
  readonly expired: string;
  readonly choices: (name: string) => string;
  /** @param address with most of it left out */
  readonly choicesText: (address: string) => string;
  /** @param ending last four of the account number */
  readonly service: (ending: string | undefined) => string;
  readonly language: string;
  readonly units: string;
  readonly unit: Readonly<Record<UtilityConfig["units"], string>>;
  readonly hours: string;
  /** @param from,until of the utility, hh:mm */
  readonly hoursText: (from: string, until: string) => string;
  readonly hoursFrom: string;
  readonly hoursUntil: string;
  readonly timeZone: string;
  readonly timeZoneSame: string;
  readonly wrongHours: (from: string, until: string) => string;
  readonly save: string;
  readonly saved: string;
  readonly erase: string;
  /** @param address with most of it left out */
  readonly eraseText: (address: string) => string;
  readonly eraseKept: string;
  readonly eraseButton: string;
  readonly erased: string;
  readonly erasedText: (receipt: string) => string;
  readonly eraseHeld: string;
  /** @param due day, as the language writes it */
  readonly eraseHeldText: (receipt: string, due: string) => string;
  readonly nothingToChoose: string;
  readonly signUp: string;
  readonly answerTitle: string;
  readonly answerText: string;
  readonly answerButton: string;
  readonly answered: string;
  readonly answeredText: Readonly<Record<Exclude<Answer, 4>, string>>;
  /** @param flow what may run in an hour */
  readonly answeredNormal: (flow: string) => string;
  readonly home: string;
  readonly homeText: string;
  readonly away: string;
  /** @param allowance what may run in a day */
  readonly awayText: (allowance: string) => string;
  readonly leave: string;
  readonly back: string;
  readonly onPurpose: string;
  readonly onPurposeText: string;
  readonly onPurposeLast: string;
  readonly normal: string;
  readonly normalFlow: (flow: string) => string;
  readonly normalText: (most: string) => string;
  readonly normalLabel: (unit: string) => string;
  readonly budget: string;
  readonly budgetText: string;
  /** @param unit in the plural */
  readonly budgetLabel: (unit: string) => string;
  readonly homeWrong: Readonly<Record<HomeField, string>>;
  readonly answerOver: string;
  readonly answerOld: string;
  readonly unsubscribe: string;
  readonly unsubscribeText: (name: string) => string;
  readonly unsubscribeButton: string;
  readonly unsubscribed: string;
  readonly unsubscribedText: string;
  readonly notFound: string;
  readonly notFoundText: string;
  readonly notOpen: string;
  readonly privacy: (address: string) => string;
  readonly otherLanguage: string;
}
