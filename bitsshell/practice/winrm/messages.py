"""What GetError says about a code and a context, in the language that was asked for."""

from __future__ import annotations

from ..engine.codes import ErrorContext, Hr

_ENGLISH_LANGID = 1033
_FRENCH_LANGID = 1036

_CONTEXTS = {
    ErrorContext.NONE: "An error has not occurred.",
    ErrorContext.UNKNOWN: "The error context is unknown.",
    ErrorContext.GENERAL_QUEUE_MANAGER: "The error occurred in the BITS queue manager.",
    ErrorContext.QUEUE_MANAGER_NOTIFICATION: "The error occurred while notifying the client.",
    ErrorContext.LOCAL_FILE: "The error occurred while the local file was being processed.",
    ErrorContext.REMOTE_FILE: "The error occurred while the remote file was being processed.",
    ErrorContext.GENERAL_TRANSPORT: "The error occurred in the transport layer.",
    ErrorContext.REMOTE_APPLICATION: "The error occurred in the remote application.",
}
_ERRORS = {
    Hr.MISSING_FILE_SIZE: "The server did not return the file size.",
    Hr.INSUFFICIENT_RANGE_SUPPORT: "The server does not support the necessary HTTP range request.",
    Hr.NETWORK_DISCONNECTED: "The computer is not connected to the network.",
    Hr.INVALID_PROXY_INFO: "The proxy list or bypass list is not valid.",
    Hr.MAXDOWNLOAD_TIMEOUT: "The maximum download time was reached.",
    Hr.NAME_NOT_RESOLVED: "The server name or address could not be resolved",
    Hr.CANNOT_CONNECT: "A connection with the server could not be established",
    Hr.CONNECTION_ERROR: "The connection with the server was terminated abnormally",
    Hr.TIMEOUT: "The operation timed out",
    Hr.ACCESS_DENIED: "Access is denied.",
    Hr.FILE_NOT_FOUND: "The system cannot find the file specified.",
    Hr.PATH_NOT_FOUND: "The system cannot find the path specified.",
    Hr.DISK_FULL: "There is not enough space on the disk.",
    Hr.SHARING_VIOLATION: "The file is in use by another process.",
}
_FRENCH_CONTEXTS = {
    ErrorContext.LOCAL_FILE: "L’erreur s’est produite lors du traitement du fichier local.",
    ErrorContext.REMOTE_FILE: "L’erreur s’est produite lors du traitement du fichier distant.",
}
_FRENCH_ERRORS = {
    Hr.NAME_NOT_RESOLVED: "Le nom ou l’adresse du serveur n’a pas pu être résolu",
    Hr.PATH_NOT_FOUND: "Le chemin d’accès spécifié est introuvable.",
    Hr.DISK_FULL: "Espace insuffisant sur le disque.",
}


def context_text(context: ErrorContext, language_id: int = _ENGLISH_LANGID) -> str:
    """The context in words, in English where there is nothing else."""
    if language_id == _FRENCH_LANGID and context in _FRENCH_CONTEXTS:
        return _FRENCH_CONTEXTS[context]
    return _CONTEXTS[context]


def error_text(code: int, language_id: int = _ENGLISH_LANGID) -> str:
    """The code in words."""
    if language_id == _FRENCH_LANGID and code in _FRENCH_ERRORS:
        return _FRENCH_ERRORS[code]
    if code & 0xFFFF_0000 == 0x8019_0000:
        return f"HTTP status {code & 0xFFFF}: the server refused or could not answer the request."
    return _ERRORS.get(code, f"Error 0x{code:08X}.")
