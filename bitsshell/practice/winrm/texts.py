"""Reason texts of faults, per language. Clients must read codes; these are for people."""

from __future__ import annotations

DEFAULT_LOCALE = "en-US"

_ENGLISH: dict[int, str] = {
    5: "Access is denied. ",
    87: "The parameter is incorrect. ",
    2150858752: (
        "The WS-Management service cannot process the request. The service cannot find the "
        "resource identified by the resource URI and selectors. "
    ),
    2150858753: "The WS-Management service cannot process the request. The action URI is invalid. ",
    2150858767: (
        "The WS-Management service cannot process the request. The request contains one or more "
        "invalid SOAP headers. "
    ),
    2150858769: (
        "The WS-Management service cannot process the request. A required SOAP header is missing. "
    ),
    2150858771: "The WS-Management service cannot process the request: action is not supported. ",
    2150858778: (
        "The data source could not process the filter. The filter might be missing or it might be "
        "invalid. Change the filter and try the request again.  "
    ),
    2150858779: (
        "The WS-Management service cannot process the request. The enumeration context is not "
        "valid: it may have expired or been released. "
    ),
    2150858793: (
        "The WS-Management service cannot complete the operation within the time specified in "
        "OperationTimeout.  "
    ),
    2150858805: (
        "The WS-Management service cannot process the request. The answer would exceed the "
        "maximum envelope size. "
    ),
    2150858817: (
        "The SOAP XML in the message does not match the corresponding XML schema definition. "
        "Change the XML and retry. "
    ),
    2150858843: (
        "The WS-Management service cannot process the request because the request contained "
        "invalid selectors for the resource. "
    ),
    2150858878: "The WS-Management service cannot process the request: envelope size too small. ",
    2150858989: "The WS-Management service cannot change the keys of an instance. ",
    2150859002: (
        "The WS-Management service cannot process the request. The resource URI names a class "
        "with keys, but the request has no selectors. "
    ),
    2150859003: (
        "The WS-Management service cannot process the request. A WQL filter needs a resource URI "
        "that ends in the class name *. "
    ),
    2150859010: "The WMI provider does not support the requested operation. ",
    2150859016: "The WS-Management service cannot enumerate a resource URI that has selectors. ",
    2150859038: "The WMI provider reported that a parameter is not valid. ",
    2150859067: "The selector __cimnamespace differs from the namespace of the resource URI. ",
    2150859174: (
        "The WS-Management service cannot process the request. The maximum number of concurrent "
        "operations for this user has been exceeded. Close existing operations for this user, or "
        "raise the quota for this user. "
    ),
    2150859240: (
        "The WS-Management service cannot process the request. The maximum number of concurrent "
        "operations for this user in this plug-in has been exceeded. Retry the request later or "
        "raise the quota of the plug-in. "
    ),
    2150859181: (
        "The WS-Management service cannot process the request. The parameters of the pull request "
        "differ from those of the enumerate request. "
    ),
    2147749889: "Generic failure ",
}

_FRENCH: dict[int, str] = {
    5: "Accès refusé. ",
    87: "Paramètre incorrect. ",
    2150858752: (
        "Le service Gestion des services Web ne peut pas traiter la demande. Le service ne trouve "
        "pas la ressource identifiée par l’URI et les sélecteurs de ressource. "
    ),
    2150858778: (
        "La source de données n’a pas pu traiter le filtre. Il est peut-être absent ou non valide. "
        "Modifiez le filtre et recommencez.  "
    ),
    2150858793: (
        "Le service Gestion des services Web ne peut pas terminer l’opération dans le délai "
        "spécifié par OperationTimeout.  "
    ),
    2150859174: (
        "Le service Gestion des services Web ne peut pas traiter la demande. Le nombre maximal "
        "d’opérations simultanées de cet utilisateur est dépassé. "
    ),
    2147749889: "Échec générique ",
}

_LANGUAGES = {"en-US": _ENGLISH, "fr-FR": _FRENCH}
LOCALES = tuple(_LANGUAGES)


def reason(code: int, locale: str) -> str:
    """The text for a code in that language, in English if there is no other."""
    text = _LANGUAGES.get(locale, {}).get(code) or _ENGLISH.get(code)
    if text is not None:
        return text
    return f"The WMI provider returned the error 0x{code:08X}. "
