import type { Catalogue } from "./catalogue.js";

/** As {@link en}, in Spanish. Of the accents, text messages may hold é and ñ alone: the others are not in their alphabet. */
export const es: Catalogue = {
  name: "Español",

  volume: {
    gal: "{n, plural, one {{n, number, ::@##} galón} other {{n, number, ::@##} galones}}",
    L: "{n, plural, one {{n, number, ::@##} litro} other {{n, number, ::@##} litros}}",
    m3: "{n, plural, one {{n, number, ::@##} metro cúbico} other {{n, number, ::@##} metros cúbicos}}",
    ft3: "{n, plural, one {{n, number, ::@##} pie cúbico} other {{n, number, ::@##} pies cúbicos}}",
  },
  hours: "{n, plural, one {# hora} other {# horas}}",
  days: "{n, plural, one {# día} other {# días}}",
  short: { volume: "{n, number, ::@##} {unit}", hours: "{n, number} h", days: "{n, number} d" },

  mail: {
    service:
      "{ending, select, none {su servicio de agua} other {su servicio de agua (cuenta terminada en {ending})}}",
    foot: {
      why: "Recibe este correo porque pidió a {utility} avisos sobre su agua en esta dirección.",
      once: "Alguien, probablemente usted, pidió a {utility} avisos sobre el agua en esta dirección. Sin su confirmación no se envía nada más.",
      privacy: "Preguntas sobre sus datos personales: {address}",
      service:
        "Recibe este correo porque se inscribió en los avisos de agua de {utility}. Llega sean cuales sean los avisos que quiere.",
      mailing: "Recibe este correo porque pidió a {utility} {what} por correo.",
      stopMailing: "Dejar de recibir esto: {what}",
      stop: "Dejar de recibir estos correos",
      choices: "Cambiar los avisos que recibe",
    },
    answer: {
      title: "Díganos, y escribiremos menos",
      home: "Díganos hasta cuándo se llena una piscina o no hay nadie en casa",
      one: "Sobre este aviso",
    },
    fact: {
      running: "Corre desde hace",
      ran: "Corrió durante",
      usedSoFar: "Consumo hasta ahora",
      used: "Consumo en ese tiempo",
      lastReading: "Última lectura",
      highest: "Flujo más alto",
      usualPeak: "Su hora habitual de mayor consumo",
      usualDay: "Su día habitual",
      flow: "Flujo",
      about: "unos {volume}",
      anHour: "unos {volume} por hora",
      anHourAndDay: "unos {hour} por hora, {day} por día",
    },
    cost: {
      label: "Costo",
      range: "{low} a {high}",
      soFar: "{amount} hasta ahora",
      aDay: "{amount} por día",
      about: "unos {amounts} (a {price} por {volume})",
    },
    chart: {
      title: "Hora por hora",
      caption:
        "Del {from} al {to}: {least} en la hora más baja, {most} en la más alta. Oscuro: desde que empezó.",
    },
    whatToDo: "Qué hacer",
    leak: {
      heading: "Posible fuga",
      overHeading: "Una posible fuga, ya terminada",
      overNote: "Desde entonces se detuvo. Pudo ser una fuga, o agua que alguien dejó abierta.",
      once: "Le escribiremos una vez más cuando las lecturas muestren que el flujo se detuvo.",
      nonstop: {
        subject: "Posible fuga: el agua corre sin parar",
        overSubject: "Una posible fuga corrió y ya se detuvo",
        runs: "El agua corre sin parar en {at} desde el {since}.",
        ran: "El agua corrió sin parar en {at} desde el {from} hasta el {to}.",
        why: "Una casa sin fugas pasa algún rato del día sin usar agua, así que puede ser una fuga.",
        rate: "Flujo cuando no se usa nada más",
      },
      "off-and-on": {
        subject: "Posible fuga: el agua corre una y otra vez",
        overSubject: "Una posible fuga corrió y ya se detuvo",
        runs: "El agua corre una y otra vez en {at} desde el {since}.",
        ran: "El agua corrió una y otra vez en {at} desde el {from} hasta el {to}.",
        why: "Corre también a horas en que su medidor suele estar quieto. Así hace un inodoro que se llena solo, y también una fuga pequeña.",
        rate: "Flujo cuando no se usa nada más",
      },
      "above-usual": {
        subject: "Posible fuga: corre más agua que de costumbre",
        overSubject: "Una posible fuga corrió y ya se detuvo",
        runs: "Corre todo el tiempo más agua que de costumbre en {at} desde el {since}.",
        ran: "Corrió todo el tiempo más agua que de costumbre en {at} desde el {from} hasta el {to}.",
        why: "Su medidor casi nunca está quieto, y ahora su flujo más bajo es mayor que en las últimas semanas. Puede ser una fuga.",
        rate: "Flujo por encima del más bajo de siempre",
      },
      burst: {
        subject: "Posible rotura: corre mucha agua",
        overSubject: "Corrió mucha agua y ya se detuvo",
        runs: "Corre mucha más agua que nunca en {at} desde el {since}.",
        ran: "Corrió mucha más agua que nunca en {at} desde el {from} hasta el {to}.",
        why: "Puede ser un tubo roto, o una manguera o llave que quedó abierta. Por favor, revise ahora.",
        rate: "Flujo más alto",
      },
      away: {
        subject: "Se usa agua mientras no están en casa",
        overSubject: "Se usó agua mientras no estaban en casa",
        runs: "Se ha usado agua en {at} desde el {since}.",
        ran: "Se usó agua mientras no había nadie en {at} desde el {from} hasta el {to}.",
        why: "Usted nos dijo que no hay nadie en casa, así que puede ser una fuga.",
        rate: "Lo más alto en una hora",
      },
      watering: {
        subject: "Su riego corre cuando no toca regar",
        overSubject: "Su riego corrió cuando no tocaba regar",
        runs: "Corre agua por el medidor de riego en {at} desde el {since}.",
        ran: "Corrió agua por el medidor de riego en {at} desde el {from} hasta el {to}.",
        why: "No es temporada de riego, o no es uno de los días para regar. Puede que una válvula no cierre, o que el programador haya perdido su programa.",
        rate: "Lo más alto en una hora",
      },
      steps: {
        leak: [
          "Revise que todas las llaves, mangueras y aspersores estén cerrados, también los que tienen temporizador.",
          "Revise los inodoros: ponga unas gotas de colorante para alimentos en cada tanque y espere 10 minutos sin descargar. Si aparece color en la taza, el sello del tanque tiene una fuga.",
          "Cierre unos minutos la llave de paso principal del edificio. Si el medidor sigue girando, la fuga está entre el medidor y la llave; si se detiene, está adentro.",
          "Si no la encuentra, llame a un plomero. Si el agua corre a propósito, para una piscina o plantas nuevas, no tiene que hacer nada.",
        ],
        away: [
          "Si hay alguien en casa, o se riega el jardín, no tiene que hacer nada.",
          "Si no, pida a quien tenga llave que busque agua que corra: inodoros, llaves, mangueras, el calentador.",
          "Si nadie la encuentra, haga cerrar la llave de paso principal del edificio hasta que vuelva.",
        ],
        watering: [
          "Revise el programador: su fecha y hora, y los días y la temporada de su programa.",
          "Recorra las líneas con el programador apagado. Donde salga agua, una válvula no cierra o un tubo tiene una fuga.",
          "Si no encuentra nada, cierre la llave del riego y vea si el medidor se detiene.",
        ],
      },
      lookAt: {
        leak: "Si sabe qué fue, no tiene que hacer nada. Si no, revise primero los inodoros y el riego: una fuga que va y viene suele estar ahí.",
        watering:
          "Si sabe qué fue, no tiene que hacer nada. Si no, revise el programador del riego, y si cada válvula cierra.",
      },
    },
    reminder: {
      subject: "El agua sigue corriendo: posible fuga",
      heading: "El agua sigue corriendo",
      text: "Le escribimos sobre una posible fuga en {at}. Las lecturas muestran que el agua sigue corriendo, desde el {since}.",
      todo: "Si ya pidió ayuda o el agua corre a propósito, no tiene que hacer nada. Si no, revise los inodoros, cierre unos minutos la llave de paso principal y mire si el medidor se detiene; si no encuentra la causa, llame a un plomero.",
      again: "Le escribiremos de nuevo cuando las lecturas muestren que el flujo se detuvo.",
    },
    stopped: {
      subject: "El flujo de agua se detuvo",
      heading: "El flujo se detuvo",
      text: "El flujo de agua en {at} del que le escribimos se detuvo. Corrió desde el {from} hasta el {to}.",
      thanks: "Si usted lo reparó o cerró algo, gracias: no tiene que hacer nada más.",
    },
    correction: {
      subject:
        "{about, select, leak {Corrección: no hubo fuga} freeze {Corrección: sí corre agua} other {Corrección: no hubo consumo alto}}",
      heading: "Nos equivocamos",
      text: "Le escribimos sobre {about, select, leak {una posible fuga} freeze {tuberías que podrían congelarse} other {un consumo inusualmente alto}} en {at} desde el {since}. Lecturas corregidas muestran que no fue así. No tiene que hacer nada; disculpe la molestia.",
    },
    highUsage: {
      subject: "Consumo de agua inusualmente alto",
      text: "Entre el {from} y el {to} corrió mucha más agua que de costumbre en {at}.",
      stillRuns: "En la última lectura seguía corriendo.",
      steps: [
        "Si sabe por qué, por ejemplo una piscina, una manguera o el riego, no tiene que hacer nada.",
        "Si no, busque agua que corra ahora: mangueras, aspersores, inodoros, un lugar mojado en el jardín.",
        "Si encuentra agua donde no debe haber, cierre la llave de paso principal del edificio y llame a un plomero.",
      ],
    },
    lastYear: {
      subject:
        "{state, select, over {Ya usó más agua que en este mes del año pasado} other {Su factura de agua podría ser alta este mes}}",
      heading: "Una factura alta en camino",
      text: "Hasta el {to} se usaron {used} en {at} este mes. En todo el mismo mes del año pasado fueron {of}. A este paso, el mes terminará con unos {coming}.",
      of: "El mismo mes del año pasado",
      known: "Si sabe por qué, por ejemplo visitas, una piscina o pasto nuevo, no tiene que hacer nada.",
      look: "Si no, mire lo que corre mucho tiempo: el riego y su reloj, una manguera, el ablandador de agua.",
      leak: "Mire también los inodoros: ponga unas gotas de colorante en cada tanque y espere 10 minutos sin bajar el agua. Si hay color en la taza, hay una fuga.",
    },
    budget: {
      subject:
        "{state, select, over {Su límite de agua del mes está agotado} other {Su consumo va por encima del límite del mes}}",
      heading: "Su límite de agua del mes",
      text: "Hasta el {to} se usaron {used} en {at}: {state, select, over {más que} other {la mayor parte de}} los {of} que usted fijó para este mes. A este paso, el mes terminará con unos {coming}.",
      of: "Límite del mes",
      pace: "A este paso, en el mes",
      noMore: "En este mes no le escribiremos más sobre él.",
      change: "Cambiar o quitar el límite",
    },
    freeze: {
      subject: "Las tuberías podrían congelarse: hace frío y no corre agua",
      heading: "Las tuberías podrían congelarse",
      text: "Afuera ha habido {below} o menos, y en {at} no ha corrido agua desde hace {dry}. Donde no hay nadie y nada corre, las tuberías se congelan primero.",
      coldSince: "Hace frío desde",
      dryFor: "Sin agua desde hace",
      there:
        "Si hay alguien en casa, abra una llave: debe salir agua como siempre. Si solo sale un hilo, una tubería puede estar congelada. Deje la llave abierta y caliente la tubería despacio, nunca con una llama.",
      away: "Si no hay nadie, pida a quien tenga llave que vaya a ver: la calefacción debe estar encendida, a {kept} o más, y las puertas de los gabinetes bajo los lavabos abiertas.",
      drip: "Mientras siga este frío, deje gotear la llave más alejada de la llave de paso principal.",
      drained: "Si el agua está cortada y las tuberías están vacías, no tiene que hacer nada.",
      once: "Sobre esta helada le escribimos una sola vez.",
    },
    bill: "Ver su factura",
    notice: { button: "Leerlo todo" },
    textsEnded: {
      subject: "Los avisos por mensaje de texto terminaron",
      heading: "Nuestros mensajes no llegan",
      text: "Un teléfono que recibía avisos por mensaje de texto sobre {at} ya no se puede alcanzar, así que los terminamos.",
      mails:
        "Usted sigue recibiendo correos, pero solo sobre lo que marcó para ellos. Vea si es todo lo que quiere saber: una fuga que se avisa solo por mensaje de texto pasaría inadvertida.",
      button: "Ver mis avisos",
      again: "Para recibir mensajes de nuevo, suscríbase con un celular que los reciba.",
    },
    digest: {
      subject: "Avisos sobre el agua de sus casas: {n, number}",
      heading: "Avisos sobre el agua de sus casas",
      intro:
        "Desde ayer hay novedades en {n, number} de sus medidores. Una posible rotura se avisa enseguida; lo demás llega en un correo al día, porque usted recibe avisos de muchas casas.",
      also: "Hay algo más que decirle sobre su agua:",
    },
    kinds: {
      leak: "posibles fugas",
      burst: "una posible rotura a cualquier hora",
      "high-usage": "consumo de agua inusualmente alto",
      freeze: "agua que se hiela en los tubos",
      tips: "consejos para ahorrar agua",
      newsletter: "noticias de la empresa de agua",
      survey: "encuestas",
    },
    confirmation: {
      subject: "Confirme sus avisos sobre el agua",
      heading: "Confirme su solicitud",
      text: "Usted pidió a {utility} que le avise por correo sobre {what}.",
      button: "Confirmar mis avisos",
      link: "El enlace funciona durante 24 horas. Si no fue usted, no haga nada: sin confirmación no se envía ningún aviso.",
    },
    renewal: {
      subject: "¿Sigue queriendo avisos sobre el agua?",
      heading: "¿Seguimos avisándole?",
      text: "Hace tiempo usted pidió a {utility} que le avise por correo sobre {what}. Preguntamos de vez en cuando, para no escribir a quien ya se mudó.",
      button: "Sí, sigan avisándome",
      end: "Sin respuesta, los avisos terminan el {last}: una fuga podría pasar inadvertida. Si ya no vive ahí, no haga nada.",
    },
  },

  answers: {
    1: "El agua corre a propósito",
    2: "Alguien lo está revisando",
    3: "Recuérdenmelo en una semana",
    4: "Aquí es normal: escriban solo si corre más",
  },

  sms: {
    service: "{ending, select, none {su servicio} other {su servicio {ending}}}",
    kinds: { leak: "fugas", burst: "roturas", "high-usage": "alto consumo", freeze: "heladas" },
    confirmation:
      "{name}: ¿Avisos de {what}? Confirme con S1. Hasta {perMonth} msj/mes, puede haber cargos. AYUDA. STOP termina.",
    renewal:
      "{name}: ¿Sigue queriendo avisos de {what}? Responda S1 en 30 d, o terminan. AYUDA. STOP termina ya.",
    alert: "{name}: {sentence} STOP termina.",
    alertToAnswer: "{name}: {sentence} Responda 1 normal, 2 lo reviso, 3 luego. STOP termina.",
    rate: "{volume}/h",
    about: {
      leak: {
        nonstop: "Posible fuga en {at}: corre sin parar hace {length}, {rate}.",
        "off-and-on": "Posible fuga en {at}: corre una y otra vez hace {length}, {rate}.",
        "above-usual": "Posible fuga en {at}: {rate} encima de lo usual hace {length}.",
        burst: "Posible rotura en {at}: corren {rate}. Revise ahora.",
        away: "Se usa agua en {at} en su ausencia: {volume} en {length}.",
        watering: "El riego corre en {at} cuando no toca regar: ya {volume}.",
      },
      leakOver: "Posible fuga en {at}, ya terminada: {volume} de agua en {length}.",
      reminder: "El agua sigue corriendo en {at}, ya {length}, {rate}.",
      highUsage: "Consumo muy alto en {at}: {volume} en {length}.",
      budget: "{volume} en {at} este mes: su tope de {of} no alcanza.",
      lastYear: "Factura alta a la vista en {at}: {volume} este mes; el mismo mes antes, {of}.",
      freeze: "Con esta helada sus tubos se pueden congelar en {at}: sin agua hace {dry}.",
      stopped: "El flujo en {at} ha parado. Ha durado {length}.",
      correction: "Por favor ignore nuestro aviso sobre {at}: hubo un error en las lecturas.",
    },
    replies: {
      stopped:
        "{name}: Ya no le enviamos mensajes. Responda FUGA para avisos de fugas solamente, o START para volver.",
      started: "{name}: Sus avisos de agua vuelven a estar activos. AYUDA. STOP termina.",
      "leak-only": "{name}: Ahora recibe avisos de fugas solamente. AYUDA. STOP termina.",
      "nothing-set-up": "{name}: No hay avisos para este celular. Para pedirlos: {help}",
      help: "Avisos de agua de {name}. Ayuda: {help}. Hasta {perMonth} msj/mes, puede haber cargos. STOP termina.",
      home: "{name}: Viajes, piscina, consumo: {homeUrl}",
      confirmed:
        "{name}: Sus avisos de agua quedan activos. Hasta {perMonth} msj/mes, puede haber cargos. AYUDA. STOP termina.",
      "on-purpose":
        "{name}: Gracias. Le escribimos de nuevo solamente si el flujo se duplica o sigue 2 semanas. CASA: piscina o viajes.",
      looking: "{name}: Gracias. Le escribimos de nuevo cuando el flujo pare.",
      remind: "{name}: Le escribimos en 7 d si el agua sigue corriendo.",
      which:
        "{name}: Tiene avisos de varios servicios. Responda 1, 2 o 3 y los cuatro finales del servicio, por ejemplo 1 4417.",
      "not-understood": "{name}: Gracias, una persona lo va a leer. AYUDA. STOP termina.",
    },
  },

  voice: {
    service:
      "{ending, select, none {su servicio de agua} other {su servicio de agua con la cuenta que termina en {ending}}}",
    hello: "Hola. Le habla {utility}, con una voz de computadora.",
    confirmation:
      "Usted pidió que le avisemos por teléfono sobre {what}. Para confirmar, pulse 1. Si no fue usted, cuelgue, o pulse 9 y no volvemos a llamar.",
    about: {
      leak: {
        nonstop:
          "Puede haber una fuga en {at}. El agua corre sin parar desde hace {length}, unos {rate} por hora.",
        "off-and-on":
          "Puede haber una fuga en {at}. El agua corre una y otra vez desde hace {length}, unos {rate} por hora.",
        "above-usual":
          "Puede haber una fuga en {at}. Desde hace {length} corren {rate} por hora más de lo usual.",
        burst: "Puede haber una rotura en {at}. Corren unos {rate} por hora. Revise ahora, por favor.",
        away: "Se usa agua en {at} en su ausencia: {volume} en {length}.",
        watering: "El riego de {at} corre cuando no toca regar: ya {volume}.",
      },
      leakOver: "Pudo haber una fuga en {at}. Ya terminó: {volume} de agua en {length}.",
      reminder: "El agua sigue corriendo en {at}, ya desde hace {length}, unos {rate} por hora.",
      highUsage: "El consumo en {at} es inusualmente alto: {volume} en {length}.",
      budget: "Este mes se usaron {volume} en {at}. Su límite de {of} no alcanza.",
      lastYear:
        "Puede venir una factura alta en {at}: este mes se usaron {volume}. En todo el mismo mes del año pasado fueron {of}.",
      freeze: "Las tuberías podrían congelarse en {at}. Hace frío, y no ha corrido agua desde hace {dry}.",
      stopped: "El flujo en {at} se detuvo. Duró {length}.",
      correction:
        "Por favor ignore nuestra última llamada sobre {at}. Hubo un error en las lecturas. Lo sentimos.",
    },
    keys: "Pulse 1 si el agua corre a propósito, 2 si alguien lo revisa, 3 para que llamemos de nuevo en una semana, o 9 para terminar estas llamadas.",
    fewKeys:
      "Pulse 1 si el agua corre a propósito, 2 si alguien lo revisa, o 9 para terminar estas llamadas.",
    end: "Pulse 9 para terminar estas llamadas.",
    replies: {
      confirmed:
        "Gracias. Le llamamos cuando haga falta. Pulse 9 en cualquier llamada para terminarlas. Adiós.",
      stopped: "No volvemos a llamar a este número. Adiós.",
      "on-purpose": "Gracias. Llamamos de nuevo solo si el flujo se duplica o sigue dos semanas. Adiós.",
      looking: "Gracias. Llamamos de nuevo cuando el flujo se detenga. Adiós.",
      remind: "Llamamos de nuevo en una semana si el agua sigue corriendo. Adiós.",
      "not-understood": "Esta tecla no hace nada aquí. Adiós.",
    },
  },

  consent: {
    email:
      "Acepto que {utility} me envíe por correo electrónico los avisos que marqué arriba sobre el agua de este servicio, de día, y de una posible rotura a cualquier hora si marqué eso. Puedo terminar esto cuando quiera con el enlace de cada correo.",
    sms: "Acepto que {utility} me envíe por mensaje de texto, al número que doy, los avisos que marqué arriba sobre el agua de este servicio: de día, y de una posible rotura a cualquier hora si marqué eso; hasta {perMonth} al mes, y más solo por una rotura. Pueden aplicarse cargos por mensajes y datos. Puedo terminar esto cuando quiera respondiendo STOP, y recibir ayuda respondiendo AYUDA. Mi número no se entrega a nadie para publicidad.",
    voice:
      "Acepto que {utility} me llame con una voz de computadora, al número que doy, sobre lo que marqué arriba, acerca del agua de este servicio: de día, y de una posible rotura a cualquier hora si marqué eso; hasta {perMonth} llamadas al mes, y más solo por una rotura. Puedo terminar esto cuando quiera pulsando 9 durante una llamada. Mi número no se entrega a nadie para publicidad.",
    mailings:
      "{utility} también puede enviarme por correo lo demás que marqué; cada uno de esos correos tiene un enlace que termina solo eso.",
    all: "Los avisos se basan en las lecturas del medidor, que pueden llegar tarde o faltar: no sustituyen mi propia atención. No hace falta aceptar para recibir agua.",
  },

  page: {
    subscribe: "Avisos sobre el agua de {utility}",
    intro:
      "Reciba un correo cuando su medidor muestre una posible fuga o un consumo inusualmente alto. No hace falta crear una cuenta.",
    introSms:
      "Reciba un correo o un mensaje de texto cuando su medidor muestre una posible fuga o un consumo inusualmente alto. Llene solo los medios que prefiera. No hace falta crear una cuenta.",
    account: "Número de cuenta",
    accountHint: "Como aparece en su factura.",
    zip: "Código postal de la dirección del servicio, o el código de nuestra carta",
    email: "Correo electrónico",
    phone: "Teléfono celular",
    phoneHint: "Para mensajes de texto. Déjelo vacío si no los quiere.",
    call: "Teléfono para llamadas",
    callHint: "Puede ser un teléfono fijo. Llama una voz de computadora. Déjelo vacío si no quiere llamadas.",
    askedTextCall: "Al otro número llamamos una vez, de día: pulse 1 entonces para confirmar.",
    by: { email: "Por correo electrónico", sms: "Por mensaje de texto", voice: "Por llamada" },
    kinds: "Avíseme sobre",
    kind: {
      leak: "posibles fugas (agua que no deja de correr)",
      burst: "una posible rotura a cualquier hora, también de noche",
      "high-usage": "consumo de agua inusualmente alto",
      freeze: "tuberías que podrían congelarse (hace frío y no corre agua)",
      tips: "consejos para ahorrar agua",
      newsletter: "noticias de la empresa de agua",
      survey: "encuestas",
    },
    send: "Pídanme que confirme",
    wrong: "Revise estos campos:",
    field: {
      account: "número de cuenta",
      zip: "código postal o código de nuestra carta",
      email: "correo electrónico",
      phone: "teléfono celular (a un teléfono fijo no llegan mensajes de texto)",
      call: "teléfono para llamadas",
      kinds: "marque al menos una casilla para cada dirección que dé",
    },
    tooMany: "Demasiadas solicitudes. Intente de nuevo en una hora.",
    asked: "Confirme su solicitud",
    askedText:
      "Si el número de cuenta y el código postal coinciden con nuestros registros, le llegará un mensaje con un enlace. Ábralo antes de 24 horas para confirmar. Si no llega nada, revise los datos y la carpeta de correo no deseado.",
    askedTextSms:
      "Si el número de cuenta y el código postal coinciden con nuestros registros, le llegará un mensaje a cada dirección que dio. Confírmelo antes de 24 horas: con el enlace del correo, y respondiendo al mensaje de texto. Si alguna vez respondió STOP a nuestros mensajes, antes envíe START{from, select, none {} other { al {from}}}. Si no llega nada, revise los datos y la carpeta de correo no deseado.",
    confirm: "Confirme sus avisos",
    confirmText: "{utility} le avisará por correo sobre: {kinds}.",
    confirmButton: "Sí, envíenme avisos",
    confirmed: "Su suscripción está activa",
    confirmedText:
      "Desde ahora recibirá un correo cuando haga falta. Cada uno trae un enlace para dejar de recibirlos.",
    used: "Este enlace ya se usó. Si usted confirmó, sus avisos están activos.",
    expired: "Este enlace ya no funciona. Suscríbase de nuevo.",
    choices: "Sus avisos sobre el agua de {utility}",
    choicesText: "Estos avisos llegan a {address}. Marque lo que quiere saber.",
    service:
      "{ending, select, none {Servicio de agua} other {Servicio de agua (cuenta terminada en {ending})}}",
    language: "Idioma",
    units: "Unidades",
    unit: { gal: "galones", ft3: "pies cúbicos", L: "litros", m3: "metros cúbicos" },
    hours: "Cuándo pueden llegar los avisos",
    hoursText:
      "Su compañía escribe entre las {from} y las {until}. Elija una parte de ese tiempo, o deje ambas vacías. Un aviso de la noche espera hasta entonces, salvo una rotura si la marcó para cualquier hora.",
    hoursFrom: "No antes de las",
    hoursUntil: "No después de las",
    timeZone: "Dónde vive usted",
    timeZoneSame: "donde está el servicio de agua",
    wrongHours:
      "Revise las horas: hace falta al menos una hora, entre las {from} y las {until}. No se guardó nada.",
    save: "Guardar",
    saved: "Guardado. Vale desde ahora.",
    erase: "Borrar mis datos",
    eraseText:
      "Borramos {address} y lo que usted nos escribió, ahora y para siempre. No recibirá más avisos; una fuga podría pasar inadvertida.",
    eraseKept:
      "Lo que queda: la prueba de lo que usted aceptó, sin su dirección, y que no se le puede escribir, si lo pidió. Su compañía de agua conserva sus propios registros de su cuenta.",
    eraseButton: "Borrar para siempre",
    erased: "Sus datos están borrados",
    erasedText: "No volverá a saber de nosotros. Número de este borrado, para sus registros: {receipt}",
    eraseHeld: "Tenemos su solicitud",
    eraseHeldText:
      "Algo obliga a su compañía de agua a conservar sus datos por ahora. Los borramos sin más en cuanto eso termine, y su compañía debe decirle el motivo si lo pregunta. Número de su solicitud: {receipt}. Último día si no hay tal motivo: {due}",
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
    answeredNormal:
      "Desde ahora, hasta {flow} por hora es normal en este medidor, y escribimos solo si corre más. Puede deshacerlo en la página sobre su casa.",
    home: "Sobre su casa",
    homeText:
      "Lo que diga aquí ajusta los avisos a su casa. Vale para todos los que reciben avisos de este servicio. No se usa para nada más, y se borra con sus datos.",
    away: "No hay nadie en casa",
    awayText:
      "En los días enteros de en medio le escribimos si se usan más de {allowance} de agua en un día. Deje ambos días vacíos si hay alguien en casa.",
    leave: "El día en que se van",
    back: "El día en que vuelven",
    onPurpose: "El agua corre a propósito",
    onPurposeText:
      "Se llena una piscina, se riega un césped nuevo: hasta el final de este día no escribimos de ninguna agua, ni siquiera de una rotura. Una semana como máximo.",
    onPurposeLast: "El último día",
    normal: "Normal aquí",
    normalFlow: "{flow} por hora ya no es normal: escriban si corre",
    normalText:
      "Si aquí siempre corre algo de agua, por ejemplo para un enfriador, diga cuánta: le escribimos de una fuga solo si corre más. {most} por hora como máximo. Déjelo vacío para no cambiar nada.",
    normalLabel: "Normal en una hora, {unit}",
    budget: "Un límite para el mes",
    budgetText:
      "Le escribimos una vez en un mes que terminaría por encima, cuando ya se usó la mayor parte. Déjelo vacío si no quiere ninguno. Lo que corre a propósito no se cuenta.",
    budgetLabel: "Lo más en un mes, {unit}",
    homeWrong: {
      budget: "el límite para el mes (un número mayor que cero)",
      normal: "lo que es normal en una hora (un número mayor que cero, y no más de lo que dice ahí)",
      leave: "el día en que se van",
      back: "el día en que vuelven (al menos dos días después de irse, y medio año como máximo)",
      onPurpose: "el último día en que el agua corre a propósito (dentro de una semana)",
    },
    answerOver: "Las lecturas muestran que esta agua ya no corre. No hace falta decir nada más.",
    answerOld: "Este aviso tiene más de dos semanas. Puede responder a uno más reciente.",
    leaveMailing: "Dejar de recibir esto: {what}",
    leaveMailingText: "{utility} ya no le envía esto. Sus avisos siguen.",
    mailingLeft: "Terminado",
    mailingLeftText: "Ya no recibe esto. Sus avisos siguen.",
    unsubscribe: "Dejar de recibir avisos",
    unsubscribeText: "{utility} no enviará más avisos por correo a esta dirección, tampoco sobre fugas.",
    unsubscribeButton: "Dejar de recibir todos los avisos",
    unsubscribed: "Los avisos están desactivados",
    unsubscribedText:
      "No se enviarán más avisos por correo a esta dirección. Puede suscribirse de nuevo cuando quiera.",
    notFound: "Página no encontrada",
    notFoundText: "La dirección es incorrecta o está incompleta. Copie el enlace completo del correo.",
    notOpen: "La suscripción todavía no está abierta.",
    privacy: "Preguntas sobre sus datos personales: {address}",
  },
};
