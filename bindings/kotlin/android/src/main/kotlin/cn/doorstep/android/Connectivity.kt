package cn.doorstep.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import cn.doorstep.Doorstep
import cn.doorstep.ffi.DoorstepException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.launch

/** Each time that a network comes. */
fun networks(context: Context): Flow<Unit> = callbackFlow {
    val manager = context.getSystemService(ConnectivityManager::class.java)
    val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) { trySend(Unit) }
    }
    manager.registerDefaultNetworkCallback(callback)
    awaitClose { manager.unregisterNetworkCallback(callback) }
}.conflate()

/** Syncs each time that a network comes, for as long as `scope` lives: that of the process. */
fun Doorstep.syncOnNetworks(context: Context, scope: CoroutineScope): Job = scope.launch {
    networks(context).collect {
        try {
            sync()
        } catch (_: DoorstepException) {
            // The status says why, and when the next attempt is due.
        }
    }
}
