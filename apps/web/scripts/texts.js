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
  nowOpen: 'The sale is open.',
  unitsUpcoming: units => `${units} ${units === 1 ? 'unit' : 'units'}, one per person`,
  unitsLeft: (remaining, units) => `${remaining} of ${units} left, one per person`,
  unitsGone: 'All units are taken. Some come back when they are not paid.',
  paused: 'The sale is paused for a moment. It goes on here by itself.',
  closed: 'This sale is over.',

  button: {
    upcoming: 'Not open yet',
    open: 'Buy now',
    sold_out: 'Join the waiting line',
    paused: 'Paused',
    closed: 'Closed',
    resuming: 'Looking for your order…',
    buying: 'One moment…',
    order: 'Show my order',
  },

  notice: {
    busy: 'It is very busy right now. We keep trying for you.',
    offline: 'No connection. We keep trying for you.',
    too_soon: 'You bought something a moment ago. We try again as soon as you may.',
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

  facts: {
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
    sale_closed: { heading: 'The sale is over', message: 'Thank you for coming.' },
    closed: { heading: 'The sale is over', message: 'No unit came free while you were in line. You pay nothing.' },
    unknown_sale: { heading: 'There is no such sale', message: 'Please check the address of this page.' },
    unpaid: { heading: 'The time to pay is over', message: 'Your unit went back into the sale. You pay nothing.' },
    cancelled: { heading: 'Your order is cancelled', message: 'Your unit went back into the sale. You pay nothing.' },
    left: { heading: 'You left the line', message: 'You pay nothing. You may line up again while the sale is on.' },
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
    none: { heading: 'No order found', message: 'We have no order of yours in this sale. You pay nothing.' },
    sign_in: { heading: 'Please sign in', message: 'Sign in at the shop first, then try again.' },
    signed_out: { heading: 'You are signed out', message: 'Sign in at the shop again to see your order.' },
    too_soon: {
      heading: 'A little too soon',
      message: 'You bought something a short while ago. Please come back later.',
    },
    unavailable: {
      heading: 'Too busy right now',
      message: 'We got no answer. Trying again is safe: nobody gets more than one.',
    },
  },
};
