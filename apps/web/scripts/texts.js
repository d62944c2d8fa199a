const doneOf = share => (share > 0 ? `, ${Math.round(share * 100)} % done` : '');

/** Every text that the page shows. A shop translates this file; `locale` also decides how prices are formatted. */
export const texts = {
  locale: 'en',
  noSale: {
    title: 'Which sale?',
    note: 'Each sale has a page of its own. Open it with its name in the address: /s/name-of-the-sale',
  },
  unknownSale: { title: 'There is no such sale', note: 'Please check the address of this page.' },
  loading: 'Just a moment…',
  unreachable: 'The shop can’t be reached at the moment. We keep trying.',

  opensIn: 'Opens in',
  days: 'days',
  hours: 'hours',
  minutes: 'min',
  seconds: 'sec',
  joinsIn: 'You may join in',
  begun: {
    open: 'The sale is open.',
    joining: 'You may join now.',
    drawing: 'The sale has opened, and the order is being made.',
  },
  joining: 'Everybody who joins before the opening has the same chance, early or late.',
  unitsUpcoming: units => `${units} ${units === 1 ? 'unit' : 'units'}, one per person`,
  unitsLeftRoughly: (remaining, units) => `At most ${remaining} of ${units} left, one per person`,
  unitsLeft: (remaining, units) => `${remaining} of ${units} left, one per person`,
  unitsGone: 'All units are taken. Some come back when they are not paid.',
  paused: 'The sale is paused for a moment. It goes on here by itself.',
  closed: 'This sale is over.',

  button: {
    upcoming: 'Not open yet',
    joining: 'Join',
    drawing: 'Join the waiting line',
    open: 'Buy now',
    sold_out: 'Join the waiting line',
    paused: 'Paused',
    closed: 'Closed',
    resuming: 'Looking for your order…',
    buying: 'One moment…',
    order: 'Show my order',
  },

  pass: {
    working: share => `Your device is getting ready${doneOf(share)}. There is nothing for you to do.`,
    waiting: share => `Your device is still getting ready${doneOf(share)}. Then your click goes out by itself.`,
    ready: 'Your device is ready.',
  },

  notice: {
    busy: 'It is very busy right now. We keep trying for you.',
    offline: 'No connection. We keep trying for you.',
    too_soon: 'You bought something a moment ago. We try again as soon as you may.',
    others_first:
      'Your last order here was not paid, so the free units are for the others first. We try again for you in a moment.',
    too_many_requests: 'Too many requests came at once. We try again in a moment, and nothing is lost.',
    not_open: 'The sale has not opened yet.',
    elsewhere: 'Go on to the payment page. When you have paid there, it shows here by itself.',
    payment_refused: 'The payment did not go through, and nothing was taken. You may try it again.',
    slow: 'This takes longer than usual. You may try once more.',
    insufficient_funds:
      'The payment did not go through: there is not enough money in your account. Top it up and pay again.',
  },

  resuming: { heading: 'Looking for your order', message: 'One moment, please.' },
  queued: {
    heading: 'You are in the queue',
    message: 'We are placing your order. You can stay right here, there is nothing more to do.',
  },
  promoted: { heading: 'A unit came free for you', message: 'We are placing your order right now.' },
  joined: {
    heading: 'You have joined',
    message:
      'Lots make the order at the opening, and your number says nothing about it. You may close this page until then. Be back for the opening: if a unit is yours, you have to pay in time.',
  },
  drawing: {
    heading: 'The order is being made',
    message:
      'The sale has opened, and lots decide who comes first. Buyers who came after the opening follow behind. Keep this page open.',
    waits: source =>
      `The sale has opened. The order depends on a public value, and follows as soon as that is known: ${source}. Until then nothing is sold.`,
  },
  standby: {
    heading: position => `You are number ${position} in line`,
    message: 'If a unit comes free, it is yours. Keep this page open.',
    leave: 'Leave the line',
  },
  payable: {
    heading: unit => `Unit ${unit} is yours`,
    message: 'Pay in time to keep it.',
    late: 'The time is up. We are checking your order.',
    promoted: 'A unit came free for you. Pay in time to keep it.',
    pay: 'Pay',
    payElsewhere: 'Go to payment',
    giveUp: 'Give up my unit',
  },
  paying: { heading: 'Your payment is on its way', message: 'This takes a few seconds.' },
  cancelling: { heading: 'Giving it up', message: 'One moment, please.' },
  paid: { heading: 'It’s yours', message: 'Thank you! Your order is paid.' },

  draw: {
    title: 'Check this draw',
    commitmentOnly:
      'Lots decide by a secret number. Its fingerprint was published before anybody joined, so it can’t be changed. But somebody who knew the secret could have tried accounts until the order suited them. Only a public value rules that out, and this draw has none.',
    withValue: source =>
      `Lots decide by a secret number, whose fingerprint was published before anybody joined, and by a public value: ${source}. If nobody knows that before the opening, nobody can arrange the order.`,
    withValueKnown: (source, value) =>
      `Lots decided by a secret number, whose fingerprint was published before anybody joined, and by a public value: ${source}. It was “${value}”. If nobody knew that before the opening, nobody could arrange the order.`,
    beacon: (round, source) => `round ${round} of ${source ?? 'a public random beacon'}`,
    late: count =>
      `Late entries: ${count}. They came back after the list was closed, so it lacks them. They have lots by the same rule, but this page can’t check them: ask the shop about them.`,
    notClosed: 'The list of all entries is published at the opening. Then this page checks that yours is in it.',
    cannotCheck: 'Your browser can check the draw only when this page is opened over https.',
    own: {
      proven: entry => `Checked by your browser: entry ${entry} is yours, and it is in the published list.`,
      wrong: () =>
        'Something is wrong: the proof for your entry does not fit the published list. Please tell the shop.',
      no_entry: () => 'You have no entry in the list: you did not join before the opening, or left.',
      late_entry: () =>
        'Your entry is not in the list: it came back after the list was closed, or you left and came again. If it came back, it has its lot by the same rule.',
    },
    checkWhole: 'Check the whole list',
    checking: 'Checking…',
    counted: (counted, entries) => `${counted} of ${entries} entries checked`,
    failed: 'The list could not be loaded, so nothing was checked. Please try again.',
    whole: entries =>
      `Checked by your browser: the list has ${entries} ${entries === 1 ? 'entry' : 'entries'}, and is the one that was closed.`,
    noSeed: 'The secret is not published yet, so there is no order to check.',
    rank: (rank, entries) =>
      `The secret is the one of the beginning. By it, your entry is number ${rank} of ${entries} in the order. People who left, or whose entry came back late, change that a little.`,
    faults: {
      entries: 'Something is wrong: the list has more or fewer entries than it was closed with. Please tell the shop.',
      numbers: 'Something is wrong: an entry is in the list twice, or not in its order. Please tell the shop.',
      root: 'Something is wrong: the list is not the one that was closed. Please tell the shop.',
      own: 'Something is wrong: your entry is not in the list. Please tell the shop.',
      seed: 'Something is wrong: the secret is not the one of the beginning. Please tell the shop.',
    },
  },

  facts: {
    entry: 'Your number',
    opensIn: 'Opens in',
    unit: 'Unit',
    amount: 'To pay',
    paid: 'Paid',
    refunded: 'Refunded',
    order: 'Order number',
    timeLeft: 'Time left',
  },
  tryAgain: 'Try again',
  close: 'Close',

  /**
   * Texts for the end of a purchase. The key is the order's reason if it has a text here, else its status or a
   * refusal's code.
   */
  ends: {
    sold_out: {
      heading: 'All units are taken',
      message: 'Others were a little quicker. Unpaid units come back, so it may be worth trying again later.',
    },
    unpaid_limit: {
      heading: 'You cannot buy here any more',
      message:
        'Too many of your orders in this sale ended without payment, so its units are kept for others. If this is a mistake, please ask the shop.',
    },
    group_limit: { heading: 'Your household has its units', message: 'No household may hold more at one time.' },
    sale_closed: { heading: 'The sale is over', message: 'Thank you for coming.' },
    closed: { heading: 'The sale is over', message: 'No unit came free while you were in line. You pay nothing.' },
    unknown_sale: { heading: 'There is no such sale', message: 'Please check the address of this page.' },
    unpaid: { heading: 'The time to pay is over', message: 'Your unit went back into the sale. You pay nothing.' },
    provider_failed: {
      heading: 'The payment was not possible',
      message:
        'The payment service did not answer in time. That was not your fault. You pay nothing, and may try again.',
    },
    cancelled: { heading: 'Your order is cancelled', message: 'Your unit went back into the sale. You pay nothing.' },
    left: { heading: 'You left the line', message: 'You pay nothing. You may join again until the sale is over.' },
    rejected: { heading: 'That did not work out', message: 'Your order could not be placed. You pay nothing.' },
    insufficient_funds: {
      heading: 'Not enough money',
      message: 'Your account holds less than the price, so the unit went back. You pay nothing.',
    },
    lost: {
      heading: 'We are sorry',
      message: 'After a fault on our side your unit went to somebody else. You pay nothing.',
    },
    refunded_late_payment: {
      heading: 'Your payment came too late',
      message: 'The order had ended and no unit was left, so your money is on its way back.',
    },
    refunded: {
      heading: 'Your money is on its way back',
      message: 'The order was cancelled and the payment refunded.',
    },
    no_work: {
      heading: 'Your browser can’t do this',
      message: 'This sale needs a browser that can compute. Open the page over https, or in another browser.',
    },
    none: { heading: 'No order found', message: 'We have no order of yours in this sale. You pay nothing.' },
    sign_in: { heading: 'Please sign in', message: 'Sign in at the shop first, then try again.' },
    signed_out: { heading: 'You are signed out', message: 'Sign in at the shop again to see your order.' },
    too_soon: {
      heading: 'A little too soon',
      message: 'You bought something a short while ago. Please come back later.',
    },
    others_first: {
      heading: 'The others come first',
      message: 'Your last order here was not paid. If a unit stays free for a few seconds, you may have it: try again.',
    },
    unavailable: {
      heading: 'Too busy right now',
      message: 'We got no answer. Trying again is safe: nobody gets more than one.',
    },
  },
};
