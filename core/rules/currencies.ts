/**
 * The currencies of ISO 4217 by the decimals of their minor unit: list one of 2024-06-25 with its changes until January
 * 2026 (XCG is new; ANG, BGN and CUC are gone). Units of account, metals and codes for tests are left out, as nobody
 * pays with them. The decimals are data, as those of Intl are for display: they differ by engine and version.
 */
const CURRENCIES: Record<number, string> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
    CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
    KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
    PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY
    TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
};

const DIGITS = new Map(
  Object.entries(CURRENCIES).flatMap(([digits, codes]) =>
    codes.split(/\s+/).map(code => [code, Number(digits)] as const),
  ),
);

/**
 * The decimals of a code that ISO 4217 does not list (any more). Sales of earlier versions could have any three letters,
 * and showed most of them like this.
 */
const DIGITS_OF_OTHERS = 2;

/** Tells whether a text is the code of a currency of ISO 4217, such as `EUR`. */
export function isCurrency(code: string): boolean {
  return DIGITS.has(code);
}

/**
 * Returns the decimals of a currency's minor unit: 2 for `EUR` and `HUF`, 0 for `JPY`, 3 for `KWD`. An amount of 4900
 * minor units is EUR 49.00, and KWD 4.900.
 */
export function currencyDigits(currency: string): number {
  return DIGITS.get(currency) ?? DIGITS_OF_OTHERS;
}
