/** Minutes as a person says them. */
export function reading(minutes: number): string {
  if (minutes < 1) return 'under 1 min';
  if (minutes < 90) return `${Math.round(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  return `${hours} h ${Math.round(minutes - hours * 60)} min`;
}
