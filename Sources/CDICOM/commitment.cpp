// Storage commitment: one request, and the report that the peer makes of it.
#include "guarded.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/dimse.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char *kPushModel = UID_StorageCommitmentPushModelSOPClass;
constexpr const char *kPushModelInstance = UID_StorageCommitmentPushModelSOPInstance;
/// Seconds for one message of the peer's that it has begun or owes at once.
constexpr int kMessageTime = 20;
/// On the request's own association the report is waited for this long where the peer may open another one for it.
constexpr std::chrono::seconds kSameAssociation{3};
constexpr long kPDU = 16384;

struct Network {
    T_ASC_Network *it = nullptr;
    ~Network() {
        if (it) ASC_dropNetwork(&it);
    }
};

/// An association that ends with this object, whoever ends it.
struct Association {
    T_ASC_Association *it = nullptr;
    ~Association() { drop(); }
    void release() {
        if (it) ASC_releaseAssociation(it);
        destroy();
    }
    void drop() {
        if (it) ASC_abortAssociation(it);
        destroy();
    }
    void destroy() {
        if (it) ASC_destroyAssociation(&it);
        it = nullptr;
    }
};

struct Request {
    std::string transaction;
    cd_commitment *items;
    size_t count;
    bool isAnswered = false;

    void mark(DcmSequenceOfItems *sequence, bool hasFailed) {
        for (unsigned long at = 0; sequence && at < sequence->card(); ++at) {
            OFString uid;
            Uint16 reason = 0x0110;
            DcmItem *item = sequence->getItem(at);
            if (item->findAndGetOFString(DCM_ReferencedSOPInstanceUID, uid).bad()) continue;
            if (hasFailed) item->findAndGetUint16(DCM_FailureReason, reason);
            for (size_t index = 0; index < count; ++index) {
                if (uid != items[index].sop_instance) continue;
                items[index].state = hasFailed ? CD_NOT_COMMITTED : CD_COMMITTED;
                items[index].reason = hasFailed ? reason : 0;
            }
        }
    }

    /// A report of an earlier request that came too late for it is answered, and is none of this one's.
    void read(DcmDataset &report) {
        OFString uid;
        if (report.findAndGetOFString(DCM_TransactionUID, uid).bad() || uid != transaction.c_str()) return;
        DcmSequenceOfItems *sequence = nullptr;
        if (report.findAndGetSequence(DCM_ReferencedSOPSequence, sequence).good()) mark(sequence, false);
        sequence = nullptr;
        if (report.findAndGetSequence(DCM_FailedSOPSequence, sequence).good()) mark(sequence, true);
        isAnswered = true;
    }
};

/// Reads one message; a report is answered and kept, the response to the request is given as its status.
OFCondition receive(T_ASC_Association *association, Request &request, int *action_status) {
    T_ASC_PresentationContextID id = 0;
    T_DIMSE_Message message;
    DcmDataset *detail = nullptr;
    OFCondition condition = DIMSE_receiveCommand(association, DIMSE_NONBLOCKING, kMessageTime, &id, &message, &detail);
    delete detail;
    if (condition.bad()) return condition;
    const bool isReport = message.CommandField == DIMSE_N_EVENT_REPORT_RQ;
    if (!isReport && message.CommandField != DIMSE_N_ACTION_RSP) return DIMSE_BADCOMMANDTYPE;
    const T_DIMSE_DataSetType type =
        isReport ? message.msg.NEventReportRQ.DataSetType : message.msg.NActionRSP.DataSetType;
    std::unique_ptr<DcmDataset> content;
    if (type != DIMSE_DATASET_NULL) {
        DcmDataset *read = nullptr;
        condition =
            DIMSE_receiveDataSetInMemory(association, DIMSE_NONBLOCKING, kMessageTime, &id, &read, nullptr, nullptr);
        content.reset(read);
        if (condition.bad()) return condition;
    }
    if (!isReport) {
        *action_status = message.msg.NActionRSP.DimseStatus;
        return EC_Normal;
    }
    if (content) request.read(*content);
    T_DIMSE_Message answer;
    std::memset(&answer, 0, sizeof answer);
    answer.CommandField = DIMSE_N_EVENT_REPORT_RSP;
    T_DIMSE_N_EventReportRSP &response = answer.msg.NEventReportRSP;
    response.MessageIDBeingRespondedTo = message.msg.NEventReportRQ.MessageID;
    response.DimseStatus = STATUS_Success;
    response.DataSetType = DIMSE_DATASET_NULL;
    return DIMSE_sendMessageUsingMemoryData(association, id, &answer, nullptr, nullptr, nullptr, nullptr);
}

/// An association that the peer has opened for its report, until it closes it.
void accept(T_ASC_Network *network, Request &request) {
    Association association;
    if (ASC_receiveAssociation(network, &association.it, kPDU, nullptr, nullptr, OFFalse, DUL_NOBLOCK, kMessageTime).bad())
        return association.destroy();
    T_ASC_Parameters *parameters = association.it->params;
    for (int at = 0; at < ASC_countPresentationContexts(parameters); ++at) {
        T_ASC_PresentationContext context;
        if (ASC_getPresentationContext(parameters, at, &context).bad() || std::strcmp(context.abstractSyntax, kPushModel))
            continue;
        for (int syntax = 0; syntax < context.transferSyntaxCount; ++syntax) {
            const char *uid = context.proposedTransferSyntaxes[syntax];
            if (std::strcmp(uid, UID_LittleEndianExplicitTransferSyntax) && std::strcmp(uid, UID_LittleEndianImplicitTransferSyntax))
                continue;
            ASC_acceptPresentationContext(parameters, context.presentationContextID, uid, context.proposedRole);
            break;
        }
    }
    if (ASC_acknowledgeAssociation(association.it).bad()) return;
    while (true) {
        int ignored = 0;
        const OFCondition condition = receive(association.it, request, &ignored);
        if (condition == DUL_PEERREQUESTEDRELEASE) {
            ASC_acknowledgeRelease(association.it);
            return association.destroy();
        }
        if (condition.bad()) return;
    }
}

void compose(DcmDataset &dataset, const Request &request) {
    dataset.putAndInsertString(DCM_TransactionUID, request.transaction.c_str());
    for (size_t index = 0; index < request.count; ++index) {
        DcmItem *item = nullptr;
        dataset.findOrCreateSequenceItem(DCM_ReferencedSOPSequence, item, -2);
        if (!item) throw std::bad_alloc();
        item->putAndInsertString(DCM_ReferencedSOPClassUID, request.items[index].sop_class);
        item->putAndInsertString(DCM_ReferencedSOPInstanceUID, request.items[index].sop_instance);
    }
}

/// The request; gives the status of the peer's response, -1 where there was none.
int ask(T_ASC_Association *association, Request &request) {
    const T_ASC_PresentationContextID id = ASC_findAcceptedPresentationContextID(association, kPushModel);
    T_DIMSE_Message message;
    std::memset(&message, 0, sizeof message);
    message.CommandField = DIMSE_N_ACTION_RQ;
    T_DIMSE_N_ActionRQ &action = message.msg.NActionRQ;
    action.MessageID = association->nextMsgID++;
    OFStandard::strlcpy(action.RequestedSOPClassUID, kPushModel, sizeof action.RequestedSOPClassUID);
    OFStandard::strlcpy(action.RequestedSOPInstanceUID, kPushModelInstance, sizeof action.RequestedSOPInstanceUID);
    action.ActionTypeID = 1;
    action.DataSetType = DIMSE_DATASET_PRESENT;
    DcmDataset dataset;
    compose(dataset, request);
    if (DIMSE_sendMessageUsingMemoryData(association, id, &message, nullptr, &dataset, nullptr, nullptr).bad()) return -1;
    int status = -1;
    // A hasty peer reports before it responds.
    while (status < 0)
        if (receive(association, request, &status).bad()) return -1;
    return status;
}

}  // namespace

cd_status cd_commit(const cd_peer *peer, uint16_t listen, uint32_t patience, cd_commitment *items, size_t count,
                    cd_error *error) noexcept {
    return cdicom::guarded(error, [&] {
        const cd_status started = cd_initialize(error);
        if (started != CD_OK) return started;
        char uid[128];
        Request request{dcmGenerateUniqueIdentifier(uid), items, count};
        for (size_t index = 0; index < count; ++index) items[index].state = CD_UNANSWERED;
        Network network;
        // Before the request: the report may come at once.
        if (ASC_initializeNetwork(listen ? NET_ACCEPTORREQUESTOR : NET_REQUESTOR, listen, kMessageTime, &network.it).bad())
            return cdicom::fail(error, CD_FAILED, "the port for reports is taken");
        T_ASC_Parameters *parameters = nullptr;
        if (ASC_createAssociationParameters(&parameters, kPDU).bad()) throw std::bad_alloc();
        const std::string address = std::string(peer->host) + ":" + std::to_string(peer->port);
        const char *syntaxes[] = {UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax};
        ASC_setAPTitles(parameters, peer->calling, peer->called, nullptr);
        ASC_setPresentationAddresses(parameters, OFStandard::getHostName().c_str(), address.c_str());
        ASC_addPresentationContext(parameters, 1, kPushModel, syntaxes, 2);
        Association association;
        const OFCondition opened = ASC_requestAssociation(network.it, parameters, &association.it);
        // Without an association the parameters are still ours.
        if (!association.it) ASC_destroyAssociationParameters(&parameters);
        if (opened.bad()) {
            association.destroy();
            return cdicom::fail(error, CD_FAILED, "no association");
        }
        if (ASC_findAcceptedPresentationContextID(association.it, kPushModel) == 0) {
            association.release();
            return cdicom::fail(error, CD_MISMATCH, "the peer knows no storage commitment");
        }
        const int status = ask(association.it, request);
        if (status != STATUS_Success) return cdicom::fail(error, CD_FAILED, "the request was not taken");
        const Clock::time_point begun = Clock::now(), end = begun + std::chrono::seconds(patience);
        while (!request.isAnswered && Clock::now() < end) {
            // Some peers report only once the request's association is closed.
            if (listen && association.it && Clock::now() - begun > kSameAssociation) association.release();
            if (!listen && !association.it) break;
            if (association.it && ASC_dataWaiting(association.it, listen ? 0 : 1)) {
                int ignored = 0;
                const OFCondition condition = receive(association.it, request, &ignored);
                if (condition == DUL_PEERREQUESTEDRELEASE) {
                    ASC_acknowledgeRelease(association.it);
                    association.destroy();
                } else if (condition.bad()) {
                    association.drop();
                }
            }
            if (listen && !request.isAnswered && ASC_associationWaiting(network.it, 1)) accept(network.it, request);
        }
        association.release();
        return CD_OK;
    });
}
