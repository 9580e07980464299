/** The lightest grey that pages and mails stand on, behind the links at their foot. */
export const GROUND = "#eef2f5";

/** Colours (`#rrggbb`) of titles, and of buttons and links. @param colour of the utility; left out: ours */
export function lookOf(colour: string | undefined): { readonly title: string; readonly accent: string } {
  return { title: colour ?? "#0b3d66", accent: colour ?? "#0b5394" };
}

/** Contrast of a colour `#rrggbb` and that grey, 1 to 21, as WCAG 2.2 defines it; beside white it is higher. */
export function contrastToGround(colour: string): number {
  return (luminance(GROUND) + 0.05) / (luminance(colour) + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
