/** Named by the types of @viz-js/viz. There is no DOM here, and none is asked for. */
type SVGSVGElement = never
