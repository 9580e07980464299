/** The canonical form of a meter id: the identity of the meter within its utility. */
export function canonicalMeter(
  text: string,
  form: { readonly leadingZeros: "keep" | "strip"; readonly upperCase: boolean },
): string {
  const id = form.leadingZeros === "strip" ? text.trim().replace(/^0+(?=.)/, "") : text.trim();
  return form.upperCase ? id.toUpperCase() : id;
}

/** Account numbers as people type them: blanks and dashes don't count. */
export function canonicalAccount(text: string): string {
  return text.replace(/[\s-]/g, "").toUpperCase();
}

/** The first five digits of a US ZIP code, other postal codes without blanks. */
export function canonicalZip(text: string): string {
  const bare = text.replace(/\s/g, "").toUpperCase();
  return /^\d{5}(-?\d{4})?$/.test(bare) ? bare.slice(0, 5) : bare;
}

/** E-mail addresses compare without regard to case and outer blanks. */
export function canonicalEmail(text: string): string {
  return text.trim().toLowerCase();
}
