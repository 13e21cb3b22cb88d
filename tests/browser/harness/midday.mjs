// A time zone in which it is about noon, so that what a test sees is all of one day.

/** The name of the zone. Its sign is that of POSIX: `Etc/GMT-3` is three hours ahead. */
export const MIDDAY = zone(12 - new Date().getUTCHours());

/** `14:05` there. */
export function timeAtMidday(unixMillis) {
  return new Intl.DateTimeFormat('en-GB', { timeZone: MIDDAY, hour: '2-digit', minute: '2-digit' }).format(unixMillis);
}

function zone(hoursAhead) {
  return hoursAhead === 0 ? 'Etc/GMT' : `Etc/GMT${hoursAhead > 0 ? '-' : '+'}${Math.abs(hoursAhead)}`;
}
